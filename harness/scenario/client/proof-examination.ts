import type { KeyObject, X509Certificate } from 'node:crypto';
import { createHash } from 'node:crypto';
import { ath, readJwt, signatureVerifies } from '../../forge/read.ts';
import { WRONG_TOKEN_HASHES } from '../../forge/wrong-token-hashes.ts';
import type { Field } from '../../wire/connection.ts';
import { exporterClaim, wrongDerivationOf } from '../../wire/wrong-derivations.ts';
import type { KeyedConnection } from '../../wire/wrong-derivations.ts';

/**
 * What of a proof is looked at, each on its own: a scenario judges its own aspects only, so that one mistake does not
 * turn every scenario red.
 */
export type Aspect =
  | 'form'
  | 'typ'
  | 'alg'
  | 'thumbprint'
  | 'disclosure'
  | 'signature'
  | 'claims'
  | 'ath'
  | 'ekm'
  | 'iat'
  | 'jti'
  | 'htm'
  | 'htu';

/** Something about a proof that is not as it has to be. */
export interface Defect {
  readonly aspect: Aspect;
  /** In words; free of secrets. */
  readonly what: string;
  /** The likely mistake and its cure, where it is one of the known ones. */
  readonly cure: string | null;
}

/** A connection as far as a proof is judged by it. */
export interface ProvenConnection extends KeyedConnection {
  readonly id: string;
  /** What the client presented, end-entity certificate first. */
  readonly clientChain: readonly X509Certificate[];
}

/** What a proof is held against. */
export interface Circumstances {
  readonly connection: ProvenConnection;
  /** The client's other connections, for naming a value that belongs to one of them. */
  readonly others: readonly ProvenConnection[];
  /** The access token of the same request, as sent. */
  readonly token: string;
  readonly request: {
    readonly method: string;
    readonly target: string;
    readonly authority: string;
    readonly fields: readonly Field[];
  };
  /** Milliseconds since the epoch when this proof was first seen. */
  readonly firstSeenAt: number;
  /** Host name of the resource server. */
  readonly host: string;
}

const TYPE = 'tls-binding-proof+jwt';
/** How far `iat` may lie from the clock when a proof is first seen, in seconds. */
const FRESH = 60;
/** Clocks on one machine differ by nothing; rounding may still put `iat` a second ahead. */
const AHEAD = 2;
/** Leading zero octets that a signature may have lost by chance. */
const MOST_ZEROS = 6;

/** Private or symmetric members of a JWK (RFC 7518 §6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * Holds a proof against what the counterpart knows of connection, token and request (draft -06 §2.3, §3.3.2 step 5).
 *
 * @returns everything that is wrong with it; empty for a right proof
 */
export function examine(proof: string, circumstances: Circumstances): readonly Defect[] {
  const jwt = readJwt(proof);
  const { header, claims } = jwt;
  if (!isRecord(header) || !isRecord(claims) || jwt.problem !== undefined)
    return [
      {
        aspect: 'form',
        what: `the proof is not a JWT in JWS compact serialization: ${jwt.problem ?? 'no JSON objects'}`,
        cure: 'Three parts, each in base64url without padding, joined with dots (RFC 7515 §3.1, §7.1).',
      },
    ];
  return [
    ...examineSignaturePart(jwt.parts[2] ?? ''),
    ...examineHeader(header, circumstances),
    ...examineSignature(proof, header, circumstances),
    ...examineClaims(claims, circumstances),
  ];
}

/** A lenient decoder, such as the one that verifies here, takes other spellings of the same octets too. */
function examineSignaturePart(part: string): readonly Defect[] {
  if (Buffer.from(part, 'base64url').toString('base64url') === part) return [];
  return [
    {
      aspect: 'form',
      what: 'the signature part of the proof is not canonical base64url',
      cure: 'Write it with - and _ instead of + and /, and without = (RFC 7515 §2).',
    },
  ];
}

function examineHeader(header: Json, { connection }: Circumstances): readonly Defect[] {
  const [certificate] = connection.clientChain;
  const defects: Defect[] = [];
  if (header['typ'] !== TYPE)
    defects.push({
      aspect: 'typ',
      what: `typ is ${text(header['typ'])}`,
      cure: `Set typ to ${TYPE} (draft -06 §2.3.1), so that no other JWT passes for a proof.`,
    });
  const suitable = certificate === undefined ? [] : algorithmsFor(certificate.publicKey);
  if (certificate !== undefined && !suitable.some((algorithm) => algorithm === header['alg']))
    defects.push({
      aspect: 'alg',
      what: `alg is ${text(header['alg'])}, and the certificate's key is ${keyText(certificate.publicKey)}`,
      cure: `Derive alg from the certificate's key: here ${suitable.join(' or ') || 'none is known'}.`,
    });
  const thumbprint = certificate === undefined ? undefined : thumbprintOf(certificate.raw);
  if (thumbprint !== undefined && header['x5t#S256'] !== thumbprint)
    defects.push({
      aspect: 'thumbprint',
      what: `x5t#S256 is ${text(header['x5t#S256'])}, and the certificate's thumbprint is ${thumbprint}`,
      cure: wrongThumbprint(header['x5t#S256'], connection.clientChain),
    });
  const jwk = header['jwk'];
  const secret = PRIVATE_MEMBERS.filter(
    (member) => Object.hasOwn(header, member) || (isRecord(jwk) && Object.hasOwn(jwk, member)),
  );
  if (secret.length > 0)
    defects.push({
      aspect: 'disclosure',
      what: `the header holds ${secret.join(', ')}: members of a private key`,
      cure: 'Leave the key out of the header; x5t#S256 says whose it is. Replace this key: it is no secret any more.',
    });
  return defects;
}

function examineSignature(
  proof: string,
  header: Json,
  { connection, others }: Circumstances,
): readonly Defect[] {
  const [certificate] = connection.clientChain;
  if (certificate === undefined)
    return [
      {
        aspect: 'signature',
        what: 'the proof came on a connection without a client certificate, so that no key verifies it',
        cure: 'Make proofs only on connections on which the client certificate was presented.',
      },
    ];
  if (signatureVerifies(proof, certificate.publicKey)) return [];
  const earlier = others.find(
    ({ clientChain: [other] }) => other !== undefined && signatureVerifies(proof, other.publicKey),
  );
  const signature = Buffer.from(proof.split('.')[2] ?? '', 'base64url');
  const scalar = SCALARS[certificate.publicKey.asymmetricKeyDetails?.namedCurve ?? ''];
  if (earlier === undefined && scalar !== undefined && signature.length !== 2 * scalar) {
    const form: Defect = {
      aspect: 'form',
      what: `the ECDSA signature has ${signature.length} octets, and must have ${2 * scalar}`,
      cure:
        signature[0] === 0x30
          ? 'The signature is in DER. JWS wants R and S, each at its full length, one after the other (RFC 7518 §3.4).'
          : 'R and S each keep their full length, leading zeros too (RFC 7518 §3.4).',
    };
    // Where a few octets are missing, it may well be made with the right key.
    const shortened = signature.length < 2 * scalar && signature.length >= 2 * scalar - MOST_ZEROS;
    return shortened ? [form] : [form, { ...form, aspect: 'signature' }];
  }
  return [
    {
      aspect: 'signature',
      what: `the signature (${text(header['alg'])}) does not verify with the key of the connection's certificate`,
      cure:
        earlier === undefined
          ? 'Sign with the private key of the certificate that was presented in the handshake of the connection (draft -06 §2.3.3).'
          : `The key is that of the certificate on connection ${earlier.id}: a connection keeps the key that it was opened with.`,
    },
  ];
}

function examineClaims(claims: Json, circumstances: Circumstances): readonly Defect[] {
  const defects: Defect[] = [];
  for (const [name, type] of [
    ['ath', 'string'],
    ['ekm', 'string'],
    ['iat', 'number'],
  ] as const) {
    if (typeof claims[name] !== type)
      defects.push({
        aspect: 'claims',
        what: `${name} is ${claims[name] === undefined ? 'missing' : text(claims[name])}, and must be a ${type}`,
        cure: `Every proof has ath, ekm (strings) and iat (a number of seconds) (draft -06 §2.3.2.1).`,
      });
  }
  return [
    ...defects,
    ...examineTokenHash(claims['ath'], circumstances),
    ...examineExporterValue(claims['ekm'], circumstances),
    ...examineTime(claims['iat'], circumstances),
    ...examinePerRequest(claims, circumstances),
  ];
}

function examineTokenHash(claim: unknown, { token }: Circumstances): readonly Defect[] {
  // Without one bearer token in one Authorization field there is nothing to hold it against.
  if (token === '' || typeof claim !== 'string' || claim === ath(token)) return [];
  const known = WRONG_TOKEN_HASHES.find((hash) => hash.value(token) === claim);
  return [
    {
      aspect: 'ath',
      what: `ath is ${known === undefined ? text(claim) : known.label}, and must be ${ath(token)}`,
      cure:
        known?.cure ??
        'It may be the hash of another token. Make ath from the very token that goes out in the same request.',
    },
  ];
}

function examineExporterValue(claim: unknown, circumstances: Circumstances): readonly Defect[] {
  const { connection, others, token, host } = circumstances;
  if (typeof claim !== 'string' || formOfExporterValue(claim, connection) !== undefined) return [];
  const other = others.find((one) => formOfExporterValue(claim, one) !== undefined);
  if (other !== undefined)
    return [
      {
        aspect: 'ekm',
        what: `ekm on connection ${connection.id} is the exporter value of connection ${other.id}`,
        cure: 'Take the value from the connection that carries the request, and keep no proof longer than its connection.',
      },
    ];
  const [certificate] = connection.clientChain;
  const thumbprint = certificate === undefined ? '' : thumbprintOf(certificate.raw);
  const known = wrongDerivationOf(claim, connection, { token, host, thumbprint });
  return [
    {
      aspect: 'ekm',
      what: `ekm is ${known === undefined ? text(claim) : known.label}`,
      cure:
        known?.cure ??
        'It is no value that is known for this connection: 32 octets, label EXPORTER-oauth-tls-session-bound, zero-length context, base64url without padding (draft -06 §2.2).',
    },
  ];
}

/** Which form of the exporter value of a connection a claim is (ambiguity AMB-01); `undefined`: none of them. */
export function formOfExporterValue(
  claim: unknown,
  connection: KeyedConnection,
): 'zero-length' | 'absent' | undefined {
  if (claim === exporterClaim(connection)) return 'zero-length';
  return connection.facts.tls === 'TLSv1.2' && claim === exporterClaim(connection, { context: null })
    ? 'absent'
    : undefined;
}

function examineTime(claim: unknown, { firstSeenAt }: Circumstances): readonly Defect[] {
  if (typeof claim !== 'number') return [];
  const now = firstSeenAt / 1000;
  const off = Math.round(claim - now);
  if (off <= AHEAD && off >= -FRESH) return [];
  const milliseconds = Math.abs(claim / 1000 - now) < FRESH;
  return [
    {
      aspect: 'iat',
      what: milliseconds
        ? 'iat is in milliseconds'
        : `iat lies ${Math.abs(off)} s ${off < 0 ? 'before' : 'after'} the first use of the proof`,
      cure: milliseconds
        ? 'NumericDate is in seconds (RFC 7519 §2).'
        : 'Set iat to the time when the proof is made, not to one of the token’s times, in UTC.',
    },
  ];
}

function examinePerRequest(claims: Json, { request }: Circumstances): readonly Defect[] {
  const defects: Defect[] = [];
  const { jti, htm, htu } = claims;
  if (jti !== undefined && (typeof jti !== 'string' || jti === ''))
    defects.push({ aspect: 'jti', what: `jti is ${text(jti)}`, cure: 'A unique text (RFC 7519 §4.1.7).' });
  if (htm !== undefined && htm !== request.method)
    defects.push({
      aspect: 'htm',
      what: `htm is ${text(htm)} on a ${request.method} request`,
      cure: 'htm is the method of the very request that carries the proof, as it is spelled there.',
    });
  if (htu !== undefined && !isTargetOf(htu, request))
    defects.push({
      aspect: 'htu',
      what: `htu is ${text(htu)} on a request for https://${request.authority}${request.target}`,
      cure: 'htu is the target URI of the very request without query and fragment (draft -06 §2.3.2.2).',
    });
  return defects;
}

/** Whether an `htu` is the request's target URI, or its path (ambiguity AMB-26), both without query. */
function isTargetOf(htu: unknown, { target, authority }: Circumstances['request']): boolean {
  if (typeof htu !== 'string' || /[?#]/.test(htu)) return false;
  const path = target.split(/[?#]/)[0] ?? '';
  if (htu === path) return true;
  const [stated, actual] = [URL.parse(htu), URL.parse(`https://${authority}${path}`)];
  return stated !== null && actual !== null && stated.href === actual.href;
}

type Json = Readonly<Record<string, unknown>>;

/** Octets of R and of S, by Node's names for the curves. */
const SCALARS: Readonly<Record<string, number>> = { prime256v1: 32, secp384r1: 48, secp521r1: 66 };

const EC_ALGORITHMS: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/** Signature algorithms that fit a public key (RFC 7518 §3.1, RFC 8037, RFC 9864). */
function algorithmsFor(key: KeyObject): readonly string[] {
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const algorithm = EC_ALGORITHMS[key.asymmetricKeyDetails?.namedCurve ?? ''];
      return algorithm === undefined ? [] : [algorithm];
    }
    case 'rsa':
      return ['RS256', 'PS256', 'RS384', 'RS512', 'PS384', 'PS512'];
    case 'rsa-pss':
      return ['PS256', 'PS384', 'PS512'];
    case 'ed25519':
      return ['EdDSA', 'Ed25519'];
    default:
      return [];
  }
}

function keyText(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return curve === undefined ? (key.asymmetricKeyType ?? 'of an unknown type') : `on the curve ${curve}`;
}

function thumbprintOf(
  octets: Uint8Array | string,
  encoding: 'base64url' | 'base64' | 'hex' = 'base64url',
): string {
  return createHash('sha256').update(octets).digest(encoding);
}

/** The likely mistake behind a wrong thumbprint. */
function wrongThumbprint(claim: unknown, [leaf, ...authorities]: readonly X509Certificate[]): string {
  const right = 'unpadded base64url of the SHA-256 over the whole DER of the certificate that is presented';
  if (claim === undefined) return `Put x5t#S256 into the header: ${right} (draft -06 §2.3.1).`;
  if (leaf === undefined) return right;
  const pem = leaf.toString();
  const suspicions: readonly (readonly [what: string, value: string])[] = [
    ['hexadecimal text', thumbprintOf(leaf.raw, 'hex')],
    ['hexadecimal text', thumbprintOf(leaf.raw, 'hex').toUpperCase()],
    ['standard base64', thumbprintOf(leaf.raw, 'base64')],
    ['padded', `${thumbprintOf(leaf.raw)}=`],
    ['the hash of the PEM text', thumbprintOf(pem)],
    ['the hash of the PEM text', thumbprintOf(pem.trim())],
    ['the hash of the public key', thumbprintOf(leaf.publicKey.export({ type: 'spki', format: 'der' }))],
    ...authorities.map(({ raw }) => ['of a certificate further up the chain', thumbprintOf(raw)] as const),
  ];
  const found = suspicions.find(([, value]) => value === claim);
  return `${found === undefined ? '' : `It is ${found[0]}. `}It has to be ${right} (RFC 8705 §3.1).`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const LONGEST = 120;

function text(value: unknown): string {
  const written = JSON.stringify(value) ?? 'missing';
  return written.length <= LONGEST ? written : `${written.slice(0, LONGEST)}…`;
}
