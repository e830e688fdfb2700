import { createPublicKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import type { DpopKey } from '../forge/dpop-proof.ts';
import { ath, readJwt, signatureVerifies } from '../forge/read.ts';
import type { ConnectionFacts, ConnectOptions, Derivation, WireRequest } from '../wire/connection.ts';
import { describeDpop } from './describe-dpop.ts';
import { shallow } from './shallow.ts';
import { cut, isRecord, text, time } from './wording.ts';

/**
 * A request in the suite's symbolic terms: what stood on the wire, with each value that follows from the
 * circumstances named by what it is ("this connection's exporter value"). Two requests that mean the same
 * have equal descriptions, although their signatures, times and identifiers differ.
 */
export type Description = ReadonlyMap<string, string>;

/** A connection as far as it is described, seen from either end. */
export interface DescribedConnection {
  readonly id: string;
  readonly options: Pick<ConnectOptions, 'http' | 'identity' | 'servername'>;
  readonly facts: Pick<ConnectionFacts, 'tls' | 'resumed' | 'extendedMasterSecret' | 'certificateWithheld'>;
  exporter(derivation?: Derivation): Buffer;
}

/** What a description is made from. */
export interface Sent {
  readonly connection: DescribedConnection;
  readonly request: WireRequest;
  readonly defaultAuthority: string;
  /** The access token sent, if any, and its claims where it is opaque. */
  readonly token: string | null;
  readonly opaqueClaims?: Readonly<Record<string, unknown>>;
  readonly proofs: readonly string[];
  /** The DPoP proofs sent, if any. */
  readonly dpop?: readonly string[];
  /** Seconds since the epoch when the request was made. */
  readonly now: number;
}

/** What the suite knows and can name. */
export interface Known {
  /** The rightful client's key type, for a connection without certificate. */
  readonly keyType: string;
  /** Every identity of the suite, for naming keys and thumbprints. */
  readonly identities: readonly Identity[];
  readonly issuerKey: KeyObject;
  /** Encoded exporter value → in words. */
  readonly exporterValues: ReadonlyMap<string, string>;
  /** Tokens that the suite has just signed with the issuer's key: verifying each again would cost as much as the target's own work. */
  readonly issuedTokens: ReadonlySet<string>;
  /** Proofs that the suite has just signed in the ordinary way, with whose key. */
  readonly signers: ReadonlyMap<string, Identity>;
  /** `jti` values of proofs sent before. */
  readonly proofIdsSeen: ReadonlySet<string>;
  /** DPoP keys, for naming them. */
  readonly dpopKeys?: readonly DpopKey[];
  /** DPoP nonces that the target has given. */
  readonly dpopNonces?: ReadonlySet<string>;
}

const CARRIERS = new Set([
  'authorization',
  'session-binding-proof',
  'host',
  'content-length',
  'transfer-encoding',
]);

/** Describes a request. Pure: the same input gives the same description. */
export function describe(sent: Sent, known: Known): Description {
  const description = new Map<string, string>();
  describeConnection(sent.connection, description);
  describeRequest(sent, description);
  describeToken(sent, known, description);
  describeProofs(sent, known, description);
  describeDpop(
    {
      proofs: sent.dpop ?? [],
      fields: sent.request.fields,
      token: sent.token,
      now: sent.now,
      keys: known.dpopKeys ?? [],
      nonces: known.dpopNonces ?? new Set(),
      proofIdsSeen: known.proofIdsSeen,
    },
    description,
  );
  return description;
}

function describeConnection(connection: DescribedConnection, description: Map<string, string>): void {
  const { options, facts } = connection;
  description.set('connection.tls', facts.tls);
  description.set('connection.http', options.http);
  description.set(
    'connection.certificate',
    options.identity === null
      ? 'none'
      : `${options.identity.name} (${options.identity.keyType})${facts.certificateWithheld === undefined ? '' : ', not presented'}`,
  );
  description.set('connection.resumed', String(facts.resumed));
  description.set('connection.extendedMasterSecret', String(facts.extendedMasterSecret));
  description.set(
    'connection.servername',
    options.servername === null ? 'none' : (options.servername ?? 'localhost'),
  );
}

function describeRequest(sent: Sent, description: Map<string, string>): void {
  const { request } = sent;
  description.set('request.method', request.method);
  description.set('request.target', withoutToken(request.target, sent.token));
  description.set(
    'request.authority',
    (request.authority ?? sent.defaultAuthority) === sent.defaultAuthority
      ? 'the target'
      : (request.authority ?? ''),
  );
  description.set('request.version', request.version ?? 'HTTP/1.1');
  if (request.body !== undefined)
    description.set(
      'request.body',
      cut(withoutToken(Buffer.from(request.body).toString('latin1'), sent.token)),
    );
  for (const [name, value] of request.fields) {
    const lower = name.toLowerCase();
    if (lower === 'dpop' && sent.dpop?.includes(value) === true) continue;
    if (!CARRIERS.has(lower) || /[^!-~]/.test(name))
      add(description, `request.field.${lower}`, nameOfText(value, sent));
  }
  const authorization = request.fields
    .filter(([name]) => name.toLowerCase() === 'authorization')
    .map(([, value]) => withoutToken(value, sent.token));
  if (sent.token !== null || authorization.length > 0)
    description.set('request.authorization', cut(authorization.join(' | ')));
  for (const [name, value] of request.trailers ?? [])
    add(description, `request.trailer.${name.toLowerCase()}`, nameOfText(value, sent));
}

function add(description: Map<string, string>, field: string, value: string): void {
  const before = description.get(field);
  description.set(field, before === undefined ? value : `${before} | ${value}`);
}

function nameOfText(value: string, sent: Sent): string {
  if (sent.proofs.includes(value)) return '<the proof>';
  if (sent.dpop?.includes(value) === true) return '<the DPoP proof>';
  return cut(withoutToken(value, sent.token));
}

function withoutToken(value: string, token: string | null): string {
  return token === null || token === '' ? value : value.split(token).join('<token>');
}

function describeToken(sent: Sent, known: Known, description: Map<string, string>): void {
  const { token, opaqueClaims, now } = sent;
  if (token === null) return;
  if (opaqueClaims !== undefined) {
    description.set('token', 'opaque');
    describeClaims('token', opaqueClaims, { ...sent, now: mintedAt(opaqueClaims, now) }, known, description);
    return;
  }
  const jwt = readJwt(token);
  if (!isRecord(jwt.header) || !isRecord(jwt.claims)) {
    description.set('token', 'not a JWT');
    return;
  }
  description.set('token', 'JWT');
  describeHeader('token', jwt.header, sent, known, description);
  describeClaims('token', jwt.claims, { ...sent, now: mintedAt(jwt.claims, now) }, known, description);
  description.set(
    'token.signature',
    known.issuedTokens.has(token) || signatureVerifies(token, known.issuerKey)
      ? "by the issuer's key"
      : 'not by the issuer’s key',
  );
}

/** Seconds that a token may have been in use within one scenario. */
const IN_USE = 30;

/** The moment that a token's times are told from: its own `iat`, so that the same token reads the same a few seconds later. */
function mintedAt({ iat }: Readonly<Record<string, unknown>>, now: number): number {
  return typeof iat === 'number' && Number.isInteger(iat) && iat <= now && iat > now - IN_USE ? iat : now;
}

function describeProofs(sent: Sent, known: Known, description: Map<string, string>): void {
  const [proof, ...more] = sent.proofs;
  if (proof === undefined) return void description.set('proof', 'none');
  if (more.length > 0)
    return void description.set(
      'proof',
      `${sent.proofs.length} values: ${sent.proofs.map((value) => cut(value, 24)).join(' | ')}`,
    );
  const jwt = readJwt(proof);
  if (!isRecord(jwt.header) || !isRecord(jwt.claims) || jwt.problem !== undefined) {
    return void description.set('proof', `text: ${cut(proof)}`);
  }
  const carried = sent.request.fields
    .filter(([, value]) => value.includes(proof))
    .map(([name]) => name.toLowerCase());
  const proofFields = sent.request.fields.filter(
    ([name]) => name.toLowerCase() === 'session-binding-proof',
  ).length;
  const usual = carried.length === 1 && carried[0] === 'session-binding-proof' && proofFields === 1;
  description.set(
    'proof',
    usual
      ? 'present'
      : `in ${carried.join(', ') || 'no field'}${proofFields > 1 ? ` of ${proofFields} proof fields` : ''}`,
  );
  describeHeader('proof', jwt.header, sent, known, description);
  describeClaims('proof', jwt.claims, sent, known, description);
  description.set('proof.signature', signedBy(proof, jwt.header['alg'], sent, known));
  for (const part of [0, 1] as const) {
    const text = Buffer.from(proof.split('.')[part] ?? '', 'base64url').toString();
    const plain = JSON.stringify(shallow(part === 0 ? jwt.header : jwt.claims));
    if (text !== plain) description.set(part === 0 ? 'proof.header' : 'proof.claims', `text: ${cut(text)}`);
  }
}

function describeHeader(
  of: 'token' | 'proof',
  header: Record<string, unknown>,
  sent: Sent,
  known: Known,
  description: Map<string, string>,
): void {
  for (const [name, value] of Object.entries(header)) {
    const field = `${of}.header.${name}`;
    if (of === 'proof' && name === 'x5t#S256') description.set(field, thumbprintOf(value, sent, known));
    else if (of === 'proof' && name === 'alg')
      description.set(
        field,
        naturalFor(value, sent, known) ? "natural for the certificate's key" : text(value),
      );
    else description.set(field, text(value));
  }
}

/** Signature algorithms by the key type that they belong to. */
const NATURAL: Readonly<Record<string, readonly string[]>> = {
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  RSA: ['RS256', 'PS256'],
  Ed25519: ['EdDSA', 'Ed25519'],
};

function isNatural(algorithm: unknown, keyType: string): boolean {
  return typeof algorithm === 'string' && (NATURAL[keyType]?.includes(algorithm) ?? false);
}

function naturalFor(algorithm: unknown, sent: Sent, known: Known): boolean {
  const keyType = sent.connection.options.identity?.keyType ?? known.keyType;
  return isNatural(algorithm, keyType);
}

function describeClaims(
  of: 'token' | 'proof',
  claims: Readonly<Record<string, unknown>>,
  sent: Sent,
  known: Known,
  description: Map<string, string>,
): void {
  for (const [name, value] of Object.entries(claims)) {
    const field = `${of}.claims.${name}`;
    if (name === 'cnf' && of === 'token' && isRecord(value))
      describeConfirmation(field, value, sent, known, description);
    else if (name === 'iat' || name === 'exp' || name === 'nbf')
      description.set(field, time(value, sent.now));
    else if (name === 'jti' && of === 'token') continue;
    else if (name === 'jti' && typeof value === 'string')
      description.set(field, known.proofIdsSeen.has(value) ? `used before: ${cut(value, 60)}` : 'fresh');
    else if (name === 'ekm' && of === 'proof') description.set(field, exporterOf(value, sent, known));
    else if (name === 'ath' && of === 'proof')
      description.set(field, value === ath(sent.token ?? '') ? 'SHA-256 of this token' : text(value));
    else description.set(field, text(value));
  }
}

function describeConfirmation(
  field: string,
  cnf: Record<string, unknown>,
  sent: Sent,
  known: Known,
  description: Map<string, string>,
): void {
  for (const [name, value] of Object.entries(cnf)) {
    const told =
      name === 'x5t#S256'
        ? thumbprintOf(value, sent, known)
        : name === 'jkt'
          ? dpopKeyIn(value, known)
          : text(value);
    description.set(`${field}.${name}`, told);
  }
}

function dpopKeyIn(jkt: unknown, { dpopKeys = [] }: Known): string {
  const key = dpopKeys.find(({ thumbprint }) => thumbprint === jkt);
  return key === undefined ? text(jkt) : `thumbprint of ${key.name}`;
}

function thumbprintOf(value: unknown, sent: Sent, known: Known): string {
  if (typeof value !== 'string') return text(value);
  if (value === sent.connection.options.identity?.thumbprint)
    return "thumbprint of this connection's certificate";
  const owner = known.identities.find((identity) => identity.thumbprint === value);
  return owner === undefined ? text(value) : `thumbprint of ${owner.name}'s ${owner.keyType} certificate`;
}

function exporterOf(value: unknown, sent: Sent, known: Known): string {
  if (typeof value !== 'string') return text(value);
  const connection = sent.connection;
  if (value === connection.exporter().toString('base64url')) return "this connection's exporter value";
  if (
    connection.facts.tls === 'TLSv1.2' &&
    value === connection.exporter({ context: null }).toString('base64url')
  ) {
    return "this connection's exporter value (form without context)";
  }
  return known.exporterValues.get(value) ?? text(value);
}

function signedBy(proof: string, algorithm: unknown, sent: Sent, known: Known): string {
  const own = sent.connection.options.identity;
  const signedAs = known.signers.get(proof);
  if (own !== null && (signedAs === own || signatureVerifies(proof, publicKeyOf(own))))
    return "by the key of this connection's certificate";
  // Only keys that the algorithm belongs to: trying a P-521 key costs as much as a handshake.
  const candidates = known.identities.filter((identity) => isNatural(algorithm, identity.keyType));
  const signer = candidates.find((identity) => signatureVerifies(proof, publicKeyOf(identity)));
  if (signer !== undefined) return `by ${signer.name}'s ${signer.keyType} key`;
  return signatureVerifies(proof, known.issuerKey) ? "by the issuer's key" : 'by no key that the suite knows';
}

const publicKeys = new WeakMap<Identity, KeyObject>();

/** The public key in an identity's certificate. */
export function publicKeyOf(identity: Identity): KeyObject {
  let key = publicKeys.get(identity);
  if (key === undefined) {
    key = createPublicKey(
      new X509Certificate(identity.certificate).publicKey.export({ type: 'spki', format: 'pem' }),
    );
    publicKeys.set(identity, key);
  }
  return key;
}
