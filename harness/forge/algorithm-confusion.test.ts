import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { createPki } from '../../certs/pki.ts';
import type { Pki } from '../../certs/pki.ts';
import { hmacKeys } from './algorithm-confusion.ts';

let pki: Pki;
beforeAll(async () => {
  pki = await createPki();
});

const ekm = Buffer.alloc(32, 7);

test('every public text that could be taken for a key is tried under its name', () => {
  const identity = pki.alice['P-256'];
  const { certificate, thumbprint } = identity;
  const publicKey = createPublicKey(identity.privateKey);
  const spki = String(publicKey.export({ type: 'spki', format: 'pem' }));
  expect(spki.endsWith('\n')).toBe(true);
  expect(certificate.endsWith('\n')).toBe(true);
  expect(hmacKeys({ identity, ekm, token: 't' })).toEqual(
    [
      ['the public key as PEM', spki],
      ['the public key as PEM without its final newline', spki.slice(0, -1)],
      ['the public key as DER', publicKey.export({ type: 'spki', format: 'der' })],
      ['the certificate as PEM', certificate],
      ['the certificate as PEM without its final newline', certificate.slice(0, -1)],
      ['the certificate as DER', new X509Certificate(certificate).raw],
      ['the public key as JWK', JSON.stringify(publicKey.export({ format: 'jwk' }))],
      ['the x5t#S256 text', thumbprint],
      ['the exporter value', ekm],
      ['the access token', 't'],
      ['the empty key', ''],
    ].map(([name, key]) => ({ name, key: Buffer.from(key ?? 'nothing') })),
  );
});

test('a key that has no JWK form is tried in its other ones', () => {
  const { privateKey } = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const keys = hmacKeys({ identity: { ...pki.mallory, privateKey: pem }, ekm, token: 't' });
  expect(keys).toHaveLength(10);
  expect(keys.map(({ name }) => name)).not.toContain('the public key as JWK');
});
