import { createHash } from 'node:crypto';

/** A way of getting `ath` wrong. */
export interface WrongTokenHash {
  readonly id: string;
  /** What it is, in words. */
  readonly label: string;
  readonly cure: string;
  /** The claim's value for an access token. */
  value(token: string): string;
}

const RIGHT =
  'Compute ath as the unpadded base64url of SHA-256 over the ASCII octets of the access token (draft -06 §2.3.2.1).';

function sha(algorithm: 'sha256' | 'sha384' | 'sha512', text: string | Buffer): Buffer {
  return createHash(algorithm).update(text).digest();
}

/** The token hashes that a mistaken implementation might use in place of the right one. */
export const WRONG_TOKEN_HASHES: readonly WrongTokenHash[] = [
  {
    id: 'signing-input',
    label: 'the hash of the token’s header and payload only',
    cure: RIGHT,
    value: (token) => sha('sha256', token.split('.').slice(0, 2).join('.')).toString('base64url'),
  },
  {
    id: 'payload',
    label: 'the hash of the token’s payload part only',
    cure: RIGHT,
    value: (token) => sha('sha256', token.split('.')[1] ?? '').toString('base64url'),
  },
  {
    id: 'decoded-payload',
    label: 'the hash of the token’s decoded payload',
    cure: RIGHT,
    value: (token) =>
      sha('sha256', Buffer.from(token.split('.')[1] ?? '', 'base64url')).toString('base64url'),
  },
  {
    id: 'with-scheme',
    label: 'the hash of the whole Authorization value, with "Bearer "',
    cure: RIGHT,
    value: (token) => sha('sha256', `Bearer ${token}`).toString('base64url'),
  },
  {
    id: 'with-newline',
    label: 'the hash of the token with a final newline',
    cure: RIGHT,
    value: (token) => sha('sha256', `${token}\n`).toString('base64url'),
  },
  {
    id: 'left-half',
    label: 'the left-most 16 octets of the hash, as in OpenID Connect’s at_hash',
    cure: RIGHT,
    value: (token) => sha('sha256', token).subarray(0, 16).toString('base64url'),
  },
  {
    id: 'hex',
    label: 'the hash in hexadecimal',
    cure: RIGHT,
    value: (token) => sha('sha256', token).toString('hex'),
  },
  {
    id: 'base64',
    label: 'the hash in standard base64 with padding',
    cure: RIGHT,
    value: (token) => sha('sha256', token).toString('base64'),
  },
  {
    id: 'sha384',
    label: 'the SHA-384 hash',
    cure: RIGHT,
    value: (token) => sha('sha384', token).toString('base64url'),
  },
  {
    id: 'sha512',
    label: 'the SHA-512 hash',
    cure: RIGHT,
    value: (token) => sha('sha512', token).toString('base64url'),
  },
  {
    id: 'of-hash',
    label: 'the hash of the hash',
    cure: RIGHT,
    value: (token) => sha('sha256', sha('sha256', token)).toString('base64url'),
  },
];
