import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { jwtVerify } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import type { Identity } from '../../certs/identity.ts';
import { KEY_TYPES } from '../../certs/identity.ts';
import { createPki } from '../../certs/pki.ts';
import type { Pki } from '../../certs/pki.ts';
import { hmacKeys } from './algorithm-confusion.ts';
import {
  derSignature,
  highS,
  negatedS,
  padded,
  scalars,
  zeroAndOrder,
  zeroSignature,
} from './ecdsa-signature.ts';
import { signer, signJws } from './jws.ts';
import { publicKeyOf } from './keys.ts';
import { forgeProof, perRequest } from './proof.ts';
import { ath, base64url, readJwt, signatureVerifies, thumbprint } from './read.ts';
import vectors from './vectors.json' with { type: 'json' };

let pki: Pki;
beforeAll(async () => {
  pki = await createPki();
});

const ekm = Buffer.from(vectors.ekmHex, 'hex');
const token = vectors.token;
/** What a clock of whole seconds shows now. */
const seconds = (): number => Math.floor(Date.now() / 1000);

function fixed(proof: {
  keyType: string;
  certificate: string;
  privateKey: string;
  fingerprint: string;
}): Identity {
  return {
    name: 'vector',
    keyType: proof.keyType,
    certificate: proof.certificate,
    chain: proof.certificate,
    privateKey: proof.privateKey,
    thumbprint: thumbprint(proof.certificate),
  };
}

test('hash, exporter and thumbprint encodings equal the pinned ones', () => {
  // RFC 9449 §7.1 has this token and hash.
  expect(ath(token)).toBe('fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo');
  expect(base64url(ekm)).toBe(vectors.ekm);
  for (const proof of Object.values(vectors.proofs)) {
    expect(Buffer.from(thumbprint(proof.certificate), 'base64url').toString('hex').toUpperCase()).toBe(
      proof.fingerprint,
    );
    const der = Buffer.from(proof.certificate.replaceAll(/-----.*-----|\n/g, ''), 'base64');
    expect(thumbprint(der)).toBe(thumbprint(proof.certificate));
  }
});

test.each([vectors.proofs.Ed25519, vectors.proofs.RSA])(
  'a whole $algorithm proof equals the pinned one',
  (vector) => {
    const proof = forgeProof({ token, ekm, identity: fixed(vector), now: vectors.iat });
    expect(proof).toBe(`${vector.signingInput}.${vector.signature}`);
  },
);

test('an ES256 proof has the pinned signing input, and a signature that verifies', () => {
  const vector = vectors.proofs['P-256'];
  const proof = forgeProof({ token, ekm, identity: fixed(vector), now: vectors.iat });
  expect(proof.slice(0, proof.lastIndexOf('.'))).toBe(vector.signingInput);
  expect(signatureVerifies(proof, createPublicKey(vector.certificate))).toBe(true);
});

test.each(KEY_TYPES)('jose verifies a right proof signed with a %s key', async (keyType) => {
  const identity = pki.alice[keyType];
  const before = seconds();
  const proof = forgeProof(
    { token, ekm, identity },
    { claims: perRequest({ htm: 'GET', htu: '/resource' }) },
  );
  const after = seconds();
  const { payload, protectedHeader } = await jwtVerify(proof, publicKeyOf(identity), {
    typ: 'tls-binding-proof+jwt',
  });
  expect(protectedHeader).toEqual({
    typ: 'tls-binding-proof+jwt',
    alg: protectedHeader.alg,
    'x5t#S256': identity.thumbprint,
  });
  expect(payload).toMatchObject({ ath: ath(token), ekm: vectors.ekm, htm: 'GET', htu: '/resource' });
  expect(payload.iat).toBeGreaterThanOrEqual(before);
  expect(payload.iat).toBeLessThanOrEqual(after);
  expect(signatureVerifies(proof, publicKeyOf(pki.mallory))).toBe(false);
});

test.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])('jose verifies %s', async (algorithm) => {
  const proof = forgeProof({ token, ekm, identity: pki.alice.RSA }, { algorithm });
  expect((await jwtVerify(proof, publicKeyOf(pki.alice.RSA))).protectedHeader.alg).toBe(algorithm);
  expect(signatureVerifies(proof, publicKeyOf(pki.alice.RSA))).toBe(true);
});

test('jose verifies the algorithm name Ed25519, and HMACs under every public value', async () => {
  const proof = forgeProof({ token, ekm, identity: pki.alice.Ed25519 }, { algorithm: 'Ed25519' });
  await expect(jwtVerify(proof, publicKeyOf(pki.alice.Ed25519))).resolves.toBeDefined();
  const keys = hmacKeys({ identity: pki.alice['P-256'], ekm, token });
  expect(keys).toHaveLength(11);
  expect(new Set(keys.map(({ key }) => key.toString('hex'))).size).toBe(11);
  for (const { key } of keys.slice(0, -1)) {
    const confused = forgeProof(
      { token, ekm, identity: pki.alice['P-256'] },
      { algorithm: 'HS256', signWith: key },
    );
    expect((await jwtVerify(confused, key)).protectedHeader.alg).toBe('HS256');
  }
  const empty = forgeProof(
    { token, ekm, identity: pki.alice['P-256'] },
    { algorithm: 'HS512', signWith: Buffer.alloc(0) },
  );
  expect(Buffer.from(empty.split('.')[2] ?? '', 'base64url')).toHaveLength(64);
});

test('a change is made where it says, and everything after it follows', async () => {
  const identity = pki.alice['P-256'];
  const basis = { token, ekm, identity, now: vectors.iat };
  const right = readJwt(forgeProof(basis));
  const key = publicKeyOf(identity);

  const claims = forgeProof(basis, { claims: { ekm: undefined, extra: null } });
  expect(readJwt(claims).claims).toEqual({ ath: ath(token), iat: vectors.iat, extra: null });
  expect(signatureVerifies(claims, key)).toBe(true);

  const header = forgeProof(basis, { header: { typ: undefined, alg: 'ES384' } });
  expect(readJwt(header).header).toEqual({ alg: 'ES384', 'x5t#S256': identity.thumbprint });
  expect(signatureVerifies(header, key)).toBe(false);

  const other = forgeProof(basis, { signWith: pki.mallory });
  expect(readJwt(other).header).toEqual(right.header);
  expect(signatureVerifies(other, publicKeyOf(pki.mallory))).toBe(true);

  const text = forgeProof(basis, {
    payloadText: (json) => ` ${json}`,
    headerText: (json) => Buffer.from(`${json} `),
  });
  await expect(jwtVerify(text, key)).resolves.toMatchObject({ payload: { iat: vectors.iat } });
  expect(text.split('.')[0]).toBe(Buffer.from(`${JSON.stringify(right.header)} `).toString('base64url'));
  expect(text.split('.')[1]).toBe(Buffer.from(` ${JSON.stringify(right.claims)}`).toString('base64url'));

  expect(forgeProof(basis, { algorithm: 'none' })).toMatch(/^[\w-]+\.[\w-]+\.$/);
  expect(forgeProof(basis, { compact: (jwt) => jwt.replace(/\.[^.]*$/, '') }).split('.')).toHaveLength(2);
  expect(forgeProof(basis, { signature: (_, input) => input }).split('.')[2]).toBe(
    Buffer.from(right.parts.slice(0, 2).join('.')).toString('base64url'),
  );
});

test.each(['P-256', 'P-384', 'P-521'] as const)(
  'ECDSA forms on %s: DER and negated s verify, out-of-range ones do not',
  (curve) => {
    const key = publicKeyOf(pki.alice[curve]);
    const make = (signature: (right: Buffer) => Buffer): boolean =>
      signatureVerifies(forgeProof({ token, ekm, identity: pki.alice[curve] }, { signature }), key);
    expect(make((right) => negatedS(right, curve))).toBe(true);
    expect(make((right) => highS(right, curve))).toBe(true);
    for (const wrong of [
      derSignature,
      () => zeroSignature(curve),
      () => zeroAndOrder(curve),
      (right: Buffer) => padded(right, 70),
    ]) {
      expect(make(wrong)).toBe(false);
    }
    // OpenSSL's own DER of the very same r and s.
    const privateKey = createPrivateKey(pki.alice[curve].privateKey);
    for (let round = 0; round < 12; round += 1) {
      const raw = sign('sha256', Buffer.from('x'), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      const der = derSignature(raw);
      expect(verifiesDer(der, pki.alice[curve])).toBe(true);
      expect(scalars(highS(raw, curve))[1]).toBeGreaterThanOrEqual(scalars(raw)[1]);
    }
  },
);

function verifiesDer(der: Buffer, identity: Identity): boolean {
  return verify('sha256', Buffer.from('x'), publicKeyOf(identity), der);
}

test('RFC vectors of other JWSs come out right', () => {
  // RFC 8037 appendix A.4
  const ed = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'OKP',
      crv: 'Ed25519',
      d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    },
  });
  expect(
    signJws({ header: '{"alg":"EdDSA"}', payload: 'Example of Ed25519 signing', sign: signer('EdDSA', ed) }),
  ).toBe(
    'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  );
  // RFC 7515 appendix A.1
  const secret = Buffer.from(
    'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
    'base64url',
  );
  const payload = '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}';
  expect(
    signJws({ header: '{"typ":"JWT",\r\n "alg":"HS256"}', payload, sign: signer('HS256', secret) }),
  ).toMatch(/\.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk$/);
});
