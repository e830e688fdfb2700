import { hash } from 'node:crypto';
import { defaultClientParts } from '../client/parts.ts';
import { createProof } from '../proof/create.ts';
import { encodeBase64url } from '../proof/encoding.ts';
import { CLAIM } from '../proof/vocabulary.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { claiming, withParts } from './making.ts';
import type { ClientMutant } from './mutant.ts';

/** The reference client that hashes something else than the token. */
function hashing(value: (token: string) => string): ClientVariant {
  return claiming(CLAIM.tokenHash, (_right, { token }) => value(token));
}

function sha256(octets: string | Uint8Array): string {
  return hash('sha256', octets, 'base64url');
}

/** The same octets up to the first zero, and zeros from there on. */
function asCString(text: string): string {
  const octets = Buffer.from(text, 'base64url');
  const end = octets.indexOf(0);
  return encodeBase64url(end < 0 ? octets : octets.fill(0, end));
}

/** A claim of the token, where it is a JWT. */
function claimOf(token: string, name: string): unknown {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return (claims as Readonly<Record<string, unknown>> | null)?.[name];
  } catch {
    return undefined;
  }
}

/** Keeps the token of the request that is being served where every request can reach it. */
function sharedToken(): ClientVariant {
  let current = '';
  return withParts(() => ({
    readFields(headers) {
      const request = defaultClientParts.readFields(headers);
      current = request.token ?? current;
      return request;
    },
    createProof: (signer, content) => createProof(signer, { ...content, token: current }),
  }));
}

function issuing(value: (right: number, token: string) => unknown): ClientVariant {
  return claiming(CLAIM.issuedAt, (right, { token }) => value(Number(right), token));
}

function ofStart(): ClientVariant {
  const started = Math.floor(Date.now() / 1000) - 3600;
  return issuing(() => started);
}

function numbering(): ClientVariant {
  let count = Date.now();
  return claiming(CLAIM.identifier, (right) => (right === undefined ? right : (count += 1)));
}

/** Mistakes with the claims of a proof (draft -06 §2.3.2.1). */
export const claimsMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-452',
    mistake: 'trims - and _ off the ends of ath',
    breaks: ['CL-PL-2'],
    variant: () => claiming(CLAIM.tokenHash, (right) => String(right).replace(/^[-_]+|[-_]+$/g, '')),
  },
  {
    id: 'M-CL-453',
    mistake: 'copies the hash of the token as a C string, which ends at the first zero octet',
    breaks: ['CL-PL-2'],
    variant: () => claiming(CLAIM.tokenHash, (right) => asCString(String(right))),
  },
  {
    id: 'M-CL-20',
    mistake: 'hashes the whole Authorization value, scheme and all',
    breaks: ['CL-PL-2'],
    variant: () => hashing((token) => sha256(`Bearer ${token}`)),
  },
  {
    id: 'M-CL-118',
    mistake: 'hashes the decoded payload of the token',
    breaks: ['CL-PL-2'],
    variant: () => hashing((token) => sha256(Buffer.from(token.split('.')[1] ?? token, 'base64url'))),
  },
  {
    id: 'M-CL-119',
    mistake: 'hashes the token without its trailing =',
    breaks: ['CL-PL-2'],
    variant: () => hashing((token) => sha256(token.replace(/=+$/, ''))),
  },
  {
    id: 'M-CL-120',
    mistake: 'hashes the first 4096 octets of the token',
    breaks: ['CL-PL-2'],
    variant: () => hashing((token) => sha256(token.slice(0, 4096))),
  },
  {
    id: 'M-CL-121',
    mistake: 'writes ath as the hash in hexadecimal, encoded again',
    breaks: ['CL-PL-2'],
    variant: () => hashing((token) => encodeBase64url(hash('sha256', token, 'hex'))),
  },
  {
    id: 'M-CL-122',
    mistake: 'takes the left half of the hash, as at_hash of OpenID Connect is made',
    breaks: ['CL-PL-2'],
    variant: () =>
      hashing((token) => encodeBase64url(Buffer.from(sha256(token), 'base64url').subarray(0, 16))),
  },
  {
    id: 'M-CL-194',
    mistake: 'keeps the token of the current request in one variable for all users',
    breaks: ['CL-PL-2'],
    variant: sharedToken,
  },
  {
    id: 'M-CL-123',
    mistake: 'pads ath',
    breaks: ['CL-PL-2'],
    variant: () => claiming(CLAIM.tokenHash, (right) => `${String(right)}=`),
  },
  {
    id: 'M-CL-124',
    mistake: 'leaves ath out',
    breaks: ['CL-PL-1', 'CL-PL-2'],
    variant: () => claiming(CLAIM.tokenHash, () => undefined),
  },
  {
    id: 'M-CL-125',
    mistake: 'pads ekm',
    breaks: ['CL-EKM-1'],
    variant: () => claiming(CLAIM.exporter, (right) => `${String(right)}=`),
  },
  {
    id: 'M-CL-22',
    mistake: 'writes iat in milliseconds',
    breaks: ['CL-PL-3'],
    variant: () => issuing((right) => right * 1000),
  },
  {
    id: 'M-CL-126',
    mistake: 'writes iat as a text',
    breaks: ['CL-PL-1'],
    variant: () => issuing((right) => String(right)),
  },
  {
    id: 'M-CL-127',
    mistake: 'writes iat as local time, two hours ahead of UTC',
    breaks: ['CL-PL-3'],
    variant: () => issuing((right) => right + 7200),
  },
  {
    id: 'M-CL-128',
    mistake: 'leaves iat out',
    breaks: ['CL-PL-1'],
    variant: () => issuing(() => undefined),
  },
  {
    id: 'M-CL-23',
    mistake: 'copies iat from the token',
    breaks: ['CL-PL-3'],
    variant: () => issuing((right, token) => claimOf(token, CLAIM.issuedAt) ?? right),
  },
  {
    id: 'M-CL-129',
    mistake: 'takes the time of the first configuration, an hour ago, for that of each proof',
    breaks: ['CL-PL-3'],
    variant: ofStart,
  },
  {
    id: 'M-CL-346',
    mistake: 'writes jti as a number',
    breaks: ['CL-PL-4'],
    variant: numbering,
  },
  {
    id: 'M-CL-347',
    mistake: 'leaves htu out of a proof that is to be for one request',
    breaks: ['CL-PL-7'],
    variant: () => claiming(CLAIM.target, () => undefined),
  },
];
