import { generateKeyPairSync } from 'node:crypto';
import { afterEach, expect, test, vi } from 'vitest';
import { createDpopProof, dpopSignerOf } from '../dpop/create.ts';
import { createDpopVerifier } from '../dpop/verify.ts';
import { createVerifier } from '../proof/verify.ts';
import { type Bench, credentials, now, sessionBound, startBench } from '../test-bench/bench.ts';
import type { Line } from '../test-bench/line.ts';

/** What a resource server has to verify, which nobody sees from outside: here it is counted. */

const REQUESTS = 12;

type Fields = [string, string][];

const signer = dpopSignerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);

function underDpop(token: string, index: number): Fields {
  const request = { identifier: `jti-${index}`, method: 'GET', target: 'https://localhost/resource' };
  const content = { token, issuedAt: now(), ...request };
  return [
    ['Authorization', `DPoP ${token}`],
    ['DPoP', createDpopProof(signer, content)],
  ];
}

interface Way {
  readonly name: string;
  readonly cnf: (bench: Bench) => Readonly<Record<string, unknown>> | undefined;
  readonly fields: (bench: Bench, token: string, line: Line) => (index: number) => Fields;
  /** Verified signatures of tokens, of Session-Binding Proofs and of DPoP proofs. */
  readonly expected: readonly [tokens: number, proofs: number, dpop: number];
}

const bearer: Way['fields'] = (_bench, token) => () => [['Authorization', `Bearer ${token}`]];

const WAYS: readonly Way[] = [
  { name: 'a bearer token', cnf: () => undefined, fields: bearer, expected: [1, 0, 0] },
  {
    name: 'a certificate-bound token',
    cnf: ({ pki }) => ({ 'x5t#S256': pki.alice['P-256'].thumbprint }),
    fields: bearer,
    expected: [1, 0, 0],
  },
  {
    name: 'a session-bound token with one proof',
    cnf: ({ pki }) => sessionBound(pki.alice['P-256']),
    fields({ pki }, token, line) {
      const fields = credentials(token, line, pki.alice['P-256']);
      return () => fields;
    },
    expected: [1, 1, 0],
  },
  {
    name: 'a session-bound token with a proof per request',
    cnf: ({ pki }) => sessionBound(pki.alice['P-256']),
    fields:
      ({ pki }, token, line) =>
      (index) =>
        credentials(token, line, pki.alice['P-256'], {
          request: { identifier: `jti-${index}`, method: 'GET', target: '/resource' },
        }),
    expected: [1, REQUESTS, 0],
  },
  {
    name: 'a DPoP-bound token',
    cnf: () => ({ jkt: signer.thumbprint }),
    fields: (_bench, token) => (index) => underDpop(token, index),
    expected: [1, 0, REQUESTS],
  },
];

afterEach(() => vi.restoreAllMocks());

test.each(WAYS)('$name costs so many verifications', async ({ cnf, fields, expected }) => {
  const verifyProof = vi.fn(createVerifier());
  const verifyDpop = vi.fn(createDpopVerifier());
  await using bench = await startBench({ variant: { parts: () => ({ verifyProof, verifyDpop }) } });
  await using line = await bench.connect('http/1.1');
  const token = await bench.mint({ cnf: cnf(bench) });
  const fieldsOf = fields(bench, token, line);
  // Tokens and DPoP proofs are verified with Web Cryptography, session-binding proofs are not.
  const verify = vi.spyOn(crypto.subtle, 'verify');
  for (let index = 0; index < REQUESTS; index++)
    expect((await line.send({ fields: fieldsOf(index) })).status).toBe(200);
  const [proofs, dpop] = [verifyProof.mock.calls.length, verifyDpop.mock.calls.length];
  expect([verify.mock.calls.length - dpop, proofs, dpop]).toEqual(expected);
});
