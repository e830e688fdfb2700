import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseProof } from '../proof/parse.ts';
import vectors from '../proof/vectors.json' with { type: 'json' };
import { defaultProofPolicy, ProofSource, type ProofPolicy } from './proof-source.ts';

const { key, certificate } = vectors.ES256;
const signer = { key: createPrivateKey(key), certificate: new X509Certificate(certificate) };
const TARGET = 'https://rs.example/resource';

function source(policy: Partial<ProofPolicy> = {}) {
  return new ProofSource(signer, Buffer.alloc(32), { ...defaultProofPolicy, ...policy });
}

function identifier(proof: string): unknown {
  const parsed = parseProof(proof);
  return 'claims' in parsed ? parsed.claims['jti'] : undefined;
}

test('one proof for each token, until it is forgotten or too old', () => {
  let time = 1_800_000_000_000;
  const proofs = source({ clock: () => time, lifetime: 60 });
  const first = proofs.proofFor('a', 'GET', TARGET);
  expect(proofs.proofFor('a', 'POST', `${TARGET}/x`)).toBe(first);
  expect(proofs.proofFor('b', 'GET', TARGET)).not.toBe(first);
  proofs.forget('a');
  const second = proofs.proofFor('a', 'GET', TARGET);
  expect(second).not.toBe(first);
  time += 59_000;
  expect(proofs.proofFor('a', 'GET', TARGET)).toBe(second);
  time += 2_000;
  const third = proofs.proofFor('a', 'GET', TARGET);
  expect(parseProof(third)).toMatchObject({ claims: { iat: 1_800_000_061 } });
  time -= 3_600_000;
  expect(proofs.proofFor('a', 'GET', TARGET)).not.toBe(third);
});

test('with claims of the request every proof is another one', () => {
  const proofs = source({ claims: 'request' });
  const [one, two] = [proofs.proofFor('a', 'GET', TARGET), proofs.proofFor('a', 'GET', TARGET)];
  expect(parseProof(one)).toMatchObject({ claims: { htm: 'GET', htu: TARGET, jti: expect.any(String) } });
  expect(identifier(one)).not.toBe(identifier(two));
});
