import { expect, test } from 'vitest';
import { EXPORTER_LABEL, exporter12, exporter13, hashOfCipher, type SuiteHash } from './exporter.ts';

const ascending = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => i));
const secrets = {
  masterSecret: ascending(48),
  clientRandom: Buffer.alloc(32, 0xc1),
  serverRandom: Buffer.alloc(32, 0x5e),
};
const abc = Buffer.from('abc');
const none = Buffer.alloc(0);

// Made with another implementation (Python's hmac), and two of them again with `openssl kdf`; secrets count up from 00.
const VECTORS_13: readonly (readonly [SuiteHash, Buffer, number, string])[] = [
  ['sha256', none, 32, 'b5c8e12989dc22dc6fd365efc282cb74634140faafbb012e0fc8da19e1dff56a'],
  ['sha256', abc, 32, '917a1a3a985da470439545e4ea39b273462caec98461753e4e60bad2897eed8e'],
  [
    'sha256',
    none,
    64,
    'a0f867f069cc3bbaf40ca8b1a5c6974c6b977288b279694817ef120dccf176927999a7f6c6e57c62c5797e5e5963b722e18f6c28df7149135a0ea9b8cba71e74',
  ],
  ['sha384', none, 32, '1611152259c42a134ede335b9db30b13406f637094deed35b5eb657fd4ebb61e'],
  ['sha384', abc, 32, 'b891346dd7e48095e04a309aa920e77849b2c664aeac8e6826c01a97565c0bfa'],
];
const VECTORS_12: readonly (readonly [SuiteHash, Buffer | null, number, string])[] = [
  ['sha256', null, 32, 'a73acfc3aa76632c215fa960146d63275f3615e89b2454d895066be960675be2'],
  ['sha256', none, 32, '54f295c4da76d1cb57074c56773d199179b303f405ed6e78994a3c09b9a5dcd8'],
  [
    'sha256',
    abc,
    64,
    'd06298f822c56caa029ccfe684036cf62abe48b1e1d6dd1e22ce3fc6547dff6a0dadf726ed5157b47c6bd68256b0de7bdc841d2c56ba1a7967d90d56ca44eb9a',
  ],
  ['sha384', null, 32, '03d194c8ac2cbf0c6c16ba87873a813554a12199350771fb1b4d6cc6d320d4f3'],
  ['sha384', none, 32, 'a3c158100b7b4299c55461fccb119d20158cd393785e07ece5c207144262c20f'],
];

test.each(VECTORS_13)(
  'computes the exporter of TLS 1.3 with %s (RFC 8446 §7.5)',
  (hash, context, length, value) => {
    const secret = ascending(hash === 'sha256' ? 32 : 48);
    expect(exporter13(hash, secret, EXPORTER_LABEL, context, length).toString('hex')).toBe(value);
  },
);

test.each(VECTORS_12)(
  'computes the exporter of TLS 1.2 with %s (RFC 5705 §4)',
  (hash, context, length, value) => {
    expect(exporter12(hash, secrets, EXPORTER_LABEL, context, length).toString('hex')).toBe(value);
  },
);

test('computes the published test vector of the TLS 1.2 PRF with SHA-256', () => {
  const published = {
    masterSecret: Buffer.from('9bbe436ba940f017b17652849a71db35', 'hex'),
    clientRandom: Buffer.from('a0ba9f936cda311827a6f796ffd5198c', 'hex'),
    serverRandom: none,
  };
  expect(exporter12('sha256', published, 'test label', null, 48).toString('hex')).toBe(
    'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af',
  );
});

test('keeps absent and zero-length context apart on TLS 1.2, as a prefix relation does not', () => {
  const absent = exporter12('sha256', secrets, EXPORTER_LABEL, null, 32);
  const zero = exporter12('sha256', secrets, EXPORTER_LABEL, none, 32);
  expect(absent.equals(zero)).toBe(false);
  expect(exporter12('sha256', secrets, EXPORTER_LABEL, none, 16)).toEqual(zero.subarray(0, 16));
});

test.each([
  ['TLS_AES_256_GCM_SHA384', 'sha384'],
  ['TLS_CHACHA20_POLY1305_SHA256', 'sha256'],
  ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'sha256'],
])('takes the hash of %s to be %s', (cipher, hash) => {
  expect(hashOfCipher(cipher)).toBe(hash);
});
