import { createPrivateKey } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { readJwt } from '../../harness/forge/read.ts';
import type { UpstreamConnection } from '../../harness/counterpart/resource-server/contract.ts';

/** A text that must not be seen, with what it is. */
export type Secret = readonly [what: string, text: string];

/** Shorter texts may stand somewhere by chance. */
const LEAST = 16;

/** Members of a JWK that belong to the private key alone (RFC 7518 §6.2.2, §6.3.2, RFC 8037 §2). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const;

/** The private key of an identity, as PKCS#8 and member by member, in the spellings of JWK, base64 and hexadecimal. */
export function secretsOfKey({ privateKey }: Identity): readonly Secret[] {
  const jwk = createPrivateKey(privateKey).export({ format: 'jwk' });
  const members = PRIVATE_MEMBERS.flatMap((name) => {
    const value = jwk[name];
    return value === undefined ? [] : spellings(`the private key (${name})`, Buffer.from(value, 'base64url'));
  });
  const pem = privateKey.split('\n').slice(1, -2);
  return longEnough([...members, ...pem.map((line): Secret => ['the private key (PKCS#8)', line])]);
}

/** A proof as a whole, and its payload and signature: its header is the same for many and tells nothing. */
export function secretsOfProof(proof: string): readonly Secret[] {
  const [, payload = '', signature = ''] = readJwt(proof).parts;
  return longEnough([
    ['the proof', proof],
    ['the payload of the proof', payload],
    ['the signature of the proof', signature],
  ]);
}

/** The exporter value of a connection. */
export function secretsOfConnection(connection: UpstreamConnection): readonly Secret[] {
  return spellings(`the exporter value of ${connection.id}`, connection.exporter());
}

/** Which of the secrets a text holds, in words. */
export function secretsIn(text: string, secrets: readonly Secret[]): readonly string[] {
  return [...new Set(secrets.filter(([, secret]) => text.includes(secret)).map(([what]) => what))];
}

function spellings(what: string, octets: Buffer): readonly Secret[] {
  return (['base64url', 'base64', 'hex'] as const).map((encoding): Secret => [
    what,
    octets.toString(encoding),
  ]);
}

function longEnough(secrets: readonly Secret[]): readonly Secret[] {
  return secrets.filter(([, text]) => text.length >= LEAST);
}
