import { ath, readJwt } from '../../forge/read.ts';
import { WRONG_TOKEN_HASHES } from '../../forge/wrong-token-hashes.ts';
import { exporterClaim, wrongDerivationOf } from '../../wire/wrong-derivations.ts';
import type { KeyedConnection } from '../../wire/wrong-derivations.ts';
import { isRecord, text } from './defect.ts';
import type { Circumstances, Defect, Json } from './defect.ts';
import { examineHeader, examineSignature, thumbprintOf } from './certificate-examination.ts';

/** How far `iat` may lie from the clock when a proof is first seen, in seconds. */
const FRESH = 60;

/** Clocks on one machine differ by nothing; rounding may still put `iat` a second ahead. */
const AHEAD = 2;

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
        (claim.length === ath(token).length
          ? 'It may be the hash of another token. Make ath from the very token that goes out in the same request.'
          : 'Write the 32 octets of SHA-256 over the token in base64url without padding: 43 characters (draft -06 §2.3.2.1).'),
      astray: known === undefined && claim.length === ath(token).length,
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
        astray: true,
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
      astray: true,
    });
  if (htu !== undefined && !isTargetOf(htu, request))
    defects.push({
      aspect: 'htu',
      what: `htu is ${text(htu)} on a request for https://${request.authority}${request.target}`,
      cure: 'htu is the target URI of the very request without query and fragment (draft -06 §2.3.2.2).',
      astray: true,
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
