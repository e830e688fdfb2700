import { constants, createSecretKey, generateKeyPairSync, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { encodePart, naturalAlgorithm, signer } from './jws.ts';
import { keyMaterial, privateKeyOf } from './keys.ts';

const INPUT = Buffer.from('header.payload');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed25519 = generateKeyPairSync('ed25519');

test.each([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
  ['RSA', 'RS256'],
  ['RSA-1024', 'RS256'],
  ['RSA-PSS', 'PS256'],
  ['Ed25519', 'EdDSA'],
  ['Ed448', 'EdDSA'],
])('for a key of type %s %s goes without saying', (keyType, algorithm) => {
  expect(naturalAlgorithm(keyType)).toBe(algorithm);
});

test('for a key type that is not known nothing does', () => {
  expect(() => naturalAlgorithm('X25519')).toThrow(
    new TypeError('no JWS algorithm is known for key type X25519'),
  );
});

test('a part can be an object, a text or octets, which may be part of a larger buffer', () => {
  expect(encodePart({ a: 1 })).toBe('eyJhIjoxfQ');
  expect(encodePart('{"a":1}')).toBe('eyJhIjoxfQ');
  expect(encodePart(new Uint8Array(Buffer.from('..{"a":1}..')).subarray(2, 9))).toBe('eyJhIjoxfQ');
});

test('none, in any letter case, is the empty signature, whatever the key', () => {
  for (const algorithm of ['none', 'None', 'NONE'])
    expect(signer(algorithm, ed25519.privateKey)(INPUT)).toEqual(Buffer.alloc(0));
});

test('a MAC takes octets or a secret key', () => {
  const octets = Buffer.from('secret');
  const mac = signer('HS256', octets)(INPUT);
  expect(mac).toHaveLength(32);
  expect(signer('HS256', createSecretKey(octets))(INPUT)).toEqual(mac);
  expect(signer('HS384', octets)(INPUT)).toHaveLength(48);
});

test('what cannot be done at all is said', () => {
  expect(() => signer('XX256', p256.privateKey)).toThrow(new TypeError('JWS algorithm XX256 is not known'));
  expect(() => signer('HS256', p256.privateKey)).toThrow(new TypeError('HS256 needs a shared secret'));
  for (const key of [Buffer.from('secret'), p256.publicKey])
    expect(() => signer('ES256', key)).toThrow(new TypeError('ES256 needs a private key'));
});

test.each([
  ['ES256', 'P-256', 'sha256', 64],
  ['ES384', 'P-384', 'sha384', 96],
  ['ES512', 'P-521', 'sha512', 132],
  ['ES256K', 'secp256k1', 'sha256', 64],
  ['ES384', 'P-256', 'sha384', 64],
  ['RS256', 'P-256', 'sha256', 64],
])(
  '%s on %s signs with the algorithm’s hash in the JWS form of the key',
  (algorithm, curve, hash, length) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
    // A scalar may be short, and then stands behind zeros: not every time, but in some of these.
    for (let round = 0; round < 20; round += 1) {
      const input = Buffer.from(`input ${round}`);
      const signature = signer(algorithm, privateKey)(input);
      expect(signature).toHaveLength(length);
      expect(verify(hash, input, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
    }
  },
);

test('Edwards keys sign without a hash, whatever the algorithm is called', () => {
  const ed448 = generateKeyPairSync('ed448');
  for (const [algorithm, { privateKey, publicKey }] of [
    ['EdDSA', ed25519],
    ['Ed25519', ed25519],
    ['PS256', ed25519],
    ['EdDSA', ed448],
  ] as const)
    expect(verify(null, INPUT, publicKey, signer(algorithm, privateKey)(INPUT))).toBe(true);
});

test('a key for RSASSA-PSS alone signs with PSS, its salt as long as the hash', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
  const pss = {
    key: publicKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
  for (const [algorithm, hash] of [
    ['PS256', 'sha256'],
    ['RS512', 'sha512'],
  ] as const)
    expect(verify(hash, INPUT, pss, signer(algorithm, privateKey)(INPUT))).toBe(true);
});

test('a private key is parsed once', () => {
  const pem = String(p256.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  expect(privateKeyOf(pem)).toBe(privateKeyOf(pem));
  expect(privateKeyOf(pem).equals(p256.privateKey)).toBe(true);
  const octets = Buffer.from('secret');
  expect(keyMaterial(octets)).toBe(octets);
  expect(keyMaterial(p256.privateKey)).toBe(p256.privateKey);
});
