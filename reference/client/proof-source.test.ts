import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseProof } from '../proof/parse.ts';
import vectors from '../proof/vectors.json' with { type: 'json' };
import { defaultProofPolicy, ProofSource, type ProofPolicy } from './proof-source.ts';

const { key, certificate } = vectors.ES256;
const signer = { key: createPrivateKey(key), certificate: new X509Certificate(certificate) };
const TARGET = 'https://rs.example/resource';

function source(policy: Partial<ProofPolicy> = {}) {
  return new ProofSource({
    signer,
    exporter: Buffer.alloc(32),
    policy: { ...defaultProofPolicy, ...policy },
  });
}

function to(token: string, method = 'GET', target = TARGET) {
  return { token, method, target };
}

function identifier(proof: string): unknown {
  const parsed = parseProof(proof);
  return 'claims' in parsed ? parsed.claims['jti'] : undefined;
}

test('one proof for each token, until it is refused or too old', () => {
  let time = 1_800_000_000_000;
  const proofs = source({ clock: () => time, lifetime: 60 });
  const first = proofs.proofFor(to('a'));
  expect(proofs.proofFor(to('a', 'POST', `${TARGET}/x`))).toBe(first);
  expect(proofs.proofFor(to('b'))).not.toBe(first);
  proofs.refused('a', first);
  expect([proofs.knows('a'), proofs.knows('b')]).toEqual([false, true]);
  const second = proofs.proofFor(to('a'));
  expect(second).not.toBe(first);
  proofs.refused('a', first);
  time += 59_000;
  expect(proofs.proofFor(to('a'))).toBe(second);
  time += 2_000;
  const third = proofs.proofFor(to('a'));
  expect(parseProof(third)).toMatchObject({ claims: { iat: 1_800_000_061 } });
  time -= 3_600_000;
  expect(proofs.proofFor(to('a'))).not.toBe(third);
});

test('with claims of the request every proof is another one', () => {
  const proofs = source({ claims: 'request' });
  const [one, two] = [proofs.proofFor(to('a')), proofs.proofFor(to('a'))];
  expect(parseProof(one)).toMatchObject({ claims: { htm: 'GET', htu: TARGET, jti: expect.any(String) } });
  expect(identifier(one)).not.toBe(identifier(two));
});
