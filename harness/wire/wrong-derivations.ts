import { createHash } from 'node:crypto';
import type { Connection, Derivation } from './connection.ts';
import { EXPORTER_LABEL } from './exporter.ts';

/** What the exporter values and identifiers of a connection are read from, at either of its ends. */
export type KeyedConnection = Pick<
  Connection,
  'exporter' | 'tlsUnique' | 'serverEndPoint' | 'clientRandom' | 'sessionId'
> & { readonly facts: { readonly tls: string } };

/** What some wrong derivations take besides the connection. */
export interface DerivationSurroundings {
  /** The access token as sent. */
  readonly token: string;
  /** Host name of the target, without port. */
  readonly host: string;
  /** `x5t#S256` of the client certificate. */
  readonly thumbprint: string;
  /** Another connection of the same client: an earlier one, or one that stands beside this one. */
  readonly previous?: KeyedConnection;
}

/** A mistake that an implementer of the exporter value (draft -06 §2.2) may make. */
export interface WrongDerivation {
  /** Stable, kebab-case. */
  readonly id: string;
  /** What is used instead of the right value; reads on after "the target uses …". */
  readonly label: string;
  /** What to do about it. */
  readonly cure: string;
  /** Whether this mistake can be made here, and gives another value than the right one. */
  applies(connection: KeyedConnection, other: DerivationSurroundings): boolean;
  /** The text of the `ekm` claim that this mistake gives. */
  value(connection: KeyedConnection, other: DerivationSurroundings): string;
}

/** The `ekm` claim as it has to be: unpadded base64url of the exporter value (draft -06 §2.2). */
export function exporterClaim(connection: KeyedConnection, derivation?: Derivation): string {
  return connection.exporter(derivation).toString('base64url');
}

const always = (): boolean => true;
const text = (value: string): Buffer => Buffer.from(value, 'utf8');
const sha256 = (octets: Uint8Array | string): Buffer => createHash('sha256').update(octets).digest();

function mislabelled(id: string, exporterLabel: string, description: string): WrongDerivation {
  return {
    id,
    label: description,
    cure: `Export with the label ${EXPORTER_LABEL}, as these ASCII octets and no others.`,
    applies: always,
    value: (connection) => exporterClaim(connection, { label: exporterLabel }),
  };
}

function inContext(
  id: string,
  description: string,
  context: (other: DerivationSurroundings) => Uint8Array,
): WrongDerivation {
  return {
    id,
    label: `${description} as exporter context`,
    cure: 'Export with a zero-length context; what binds token and certificate is in the proof, not in the context.',
    applies: always,
    value: (connection, other) => exporterClaim(connection, { context: context(other) }),
  };
}

function ofLength(length: number): WrongDerivation {
  return {
    id: `length-${length}`,
    label: `${length} octets of exporter output`,
    cure: 'Export 32 octets.',
    applies: always,
    value: (connection) => exporterClaim(connection, { length }),
  };
}

function encoded(id: string, description: string, encode: (value: Buffer) => string): WrongDerivation {
  return {
    id,
    label: description,
    cure: 'Encode the 32 octets themselves in base64url without padding: 43 characters.',
    applies: always,
    value: (connection) => encode(connection.exporter()),
  };
}

function identifier(
  id: string,
  description: string,
  octets: (connection: KeyedConnection) => Buffer | undefined,
): WrongDerivation {
  return {
    id,
    label: description,
    cure: `Take the exporter value (RFC 8446 §7.5, RFC 5705) with the label ${EXPORTER_LABEL}, not another identifier of the connection.`,
    applies: (connection) => (octets(connection)?.length ?? 0) > 0,
    value: (connection) => octets(connection)?.toString('base64url') ?? '',
  };
}

/** Every known wrong derivation: variants that a target must refuse, and what a failing one is compared with. */
export const WRONG_DERIVATIONS: readonly WrongDerivation[] = [
  mislabelled('label-rfc9266', 'EXPORTER-Channel-Binding', 'the RFC 9266 label EXPORTER-Channel-Binding'),
  mislabelled(
    'label-predecessor',
    'EXPORTER-oauth-tls-bound-token-exchange',
    'the label of the predecessor draft, EXPORTER-oauth-tls-bound-token-exchange',
  ),
  mislabelled(
    'label-token-binding',
    'EXPORTER-Token-Binding',
    'the Token Binding label EXPORTER-Token-Binding (RFC 8471)',
  ),
  mislabelled('label-without-prefix', 'oauth-tls-session-bound', 'the label without its prefix EXPORTER-'),
  mislabelled('label-trailing-nul', `${EXPORTER_LABEL}\0`, 'the label with a NUL octet after it'),
  mislabelled('label-lower-case', EXPORTER_LABEL.toLowerCase(), 'the label in lower case'),
  mislabelled('label-upper-case', EXPORTER_LABEL.toUpperCase(), 'the label in upper case'),
  {
    id: 'context-absent',
    label: 'no exporter context, where a zero-length one is another value (TLS 1.2)',
    cure: 'Give the exporter a context of length zero. Many APIs leave the context out by default.',
    applies: ({ facts }) => facts.tls !== 'TLSv1.3',
    value: (connection) => exporterClaim(connection, { context: null }),
  },
  inContext('context-nul', 'one NUL octet', () => Buffer.alloc(1)),
  inContext('context-token-hash', 'the SHA-256 of the access token', ({ token }) => sha256(token)),
  inContext('context-token', 'the access token', ({ token }) => text(token)),
  inContext('context-thumbprint', 'the certificate thumbprint (x5t#S256)', ({ thumbprint }) =>
    text(thumbprint),
  ),
  inContext('context-host', 'the host name', ({ host }) => text(host)),
  ofLength(16),
  ofLength(31),
  ofLength(33),
  ofLength(48),
  ofLength(64),
  {
    id: 'length-64-cut',
    label: 'the first 32 octets of a longer exporter output (another value on TLS 1.3)',
    cure: 'Ask the exporter for 32 octets; on TLS 1.3 the length is part of the derivation.',
    applies: ({ facts }) => facts.tls === 'TLSv1.3',
    value: (connection) => connection.exporter({ length: 64 }).subarray(0, 32).toString('base64url'),
  },
  identifier('tls-unique', 'tls-unique, the first Finished message (RFC 5929)', ({ tlsUnique }) => tlsUnique),
  identifier(
    'tls-server-end-point',
    'tls-server-end-point, the hash of the server certificate (RFC 5929)',
    (connection) => connection.serverEndPoint,
  ),
  identifier('client-random', 'the client random', ({ clientRandom }) => clientRandom),
  identifier('session-id', 'the TLS session ID', ({ sessionId }) => sessionId),
  encoded('hex', 'the hexadecimal text of the right value', (value) => value.toString('hex')),
  encoded('hex-upper-case', 'the upper-case hexadecimal text of the right value', (value) =>
    value.toString('hex').toUpperCase(),
  ),
  encoded('base64url-of-hex', 'the base64url encoding of the hexadecimal text of the right value', (value) =>
    text(value.toString('hex')).toString('base64url'),
  ),
  encoded('base64', 'the standard base64 encoding of the right value', (value) => value.toString('base64')),
  encoded(
    'base64url-padded',
    'the base64url encoding of the right value with padding',
    (value) => `${value.toString('base64url')}=`,
  ),
  encoded('sha256', 'the SHA-256 of the right value', (value) => sha256(value).toString('base64url')),
  {
    id: 'other-connection',
    label: 'the exporter value of another connection of the same client',
    cure: 'Take the value from the connection that carries the request; keep no value longer than its connection.',
    applies: (_connection, { previous }) => previous !== undefined,
    value: (_connection, { previous }) => (previous === undefined ? '' : exporterClaim(previous)),
  },
  {
    id: 'empty',
    label: 'an empty exporter value',
    cure: 'Compare with the exporter value of the connection, and refuse when there is none.',
    applies: always,
    value: () => '',
  },
];

/** The wrong derivation that gives this `ekm` claim on this connection, if one of the known ones does. */
export function wrongDerivationOf(
  claim: string,
  connection: KeyedConnection,
  other: DerivationSurroundings,
): WrongDerivation | undefined {
  return WRONG_DERIVATIONS.find(
    (derivation) => derivation.applies(connection, other) && derivation.value(connection, other) === claim,
  );
}
