import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createProof, proofSigningInput } from './create.ts';
import { accessTokenHash, thumbprint } from './encoding.ts';
import { parseProof } from './parse.ts';
import vectors from './vectors.json' with { type: 'json' };
import { createVerifier } from './verify.ts';

const exporter = Buffer.from(vectors.exporter, 'hex');
const content = { token: vectors.token, exporter, issuedAt: vectors.issuedAt };

function signer(name: 'ES256' | 'Ed25519') {
  const { key, certificate } = vectors[name];
  return { key: createPrivateKey(key), certificate: new X509Certificate(certificate) };
}

test('token hash and thumbprints are those that openssl computes', () => {
  expect(accessTokenHash(vectors.token)).toBe(vectors.tokenHash);
  for (const name of ['ES256', 'Ed25519'] as const) {
    expect(thumbprint(signer(name).certificate.raw)).toBe(vectors[name].thumbprint);
  }
});

test.each(['ES256', 'Ed25519'] as const)('the signing input for %s is fixed to the octet', (name) => {
  const { thumbprint: x5t, signingInput } = vectors[name];
  expect(proofSigningInput(name, x5t, content)).toBe(signingInput);
});

test('the Ed25519 proof as a whole equals the vector, since that signature is deterministic', () => {
  const { signingInput, signature } = vectors.Ed25519;
  expect(createProof(signer('Ed25519'), content)).toBe(`${signingInput}.${signature}`);
});

test.each(['ES256', 'Ed25519'] as const)('a signature that openssl made for %s verifies', (name) => {
  const { signingInput, signature, thumbprint: x5t } = vectors[name];
  const result = createVerifier()({
    proof: `${signingInput}.${signature}`,
    token: vectors.token,
    exporter,
    certificate: { publicKey: signer(name).certificate.publicKey, thumbprint: x5t },
    request: { method: 'GET', authority: 'rs.example', path: '/resource' },
    now: vectors.issuedAt,
    claimIdentifier: () => true,
  });
  expect(result).toMatchObject({ holds: true });
});

test('claims for one request follow those for the connection', () => {
  const request = { identifier: 'one', method: 'GET', target: 'https://rs.example/resource' };
  const proof = parseProof(createProof(signer('ES256'), { ...content, request }));
  expect(proof).toMatchObject({
    header: { typ: 'tls-binding-proof+jwt', alg: 'ES256', 'x5t#S256': vectors.ES256.thumbprint },
    claims: { ath: vectors.tokenHash, iat: vectors.issuedAt, jti: 'one', htm: 'GET', htu: request.target },
  });
});

test('refuses an exporter value of another length', () => {
  const short = { ...content, exporter: exporter.subarray(0, 31) };
  expect(() => createProof(signer('ES256'), short)).toThrow(
    new RangeError('an exporter value has 32 octets, not 31'),
  );
});

test('refuses a key that no algorithm fits', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  expect(() => createProof({ ...signer('ES256'), key: privateKey }, content)).toThrow(
    new TypeError('no proof can be signed with a key of type ec'),
  );
});
