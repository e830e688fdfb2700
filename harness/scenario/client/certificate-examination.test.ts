import { createHash, sign, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Identity } from '../../../certs/identity.ts';
import { issue } from '../../../certs/issue.ts';
import type { ProofChange } from '../../forge/proof.ts';
import { readJwt } from '../../forge/read.ts';
import { pki } from '../target.fixture.ts';
import { examineHeader, examineSignature } from './certificate-examination.ts';
import { isRecord } from './defect.ts';
import type { Json, ProvenConnection } from './defect.ts';
import { circumstancesOn, proofOn, provenConnection, told } from './proof-examination.fixture.ts';

const alice = pki.alice['P-256'];
const [pss, ed448] = await Promise.all([
  issue(pki.trusted, { name: 'alice', keyType: 'RSA-PSS' }),
  issue(pki.trusted, { name: 'alice', keyType: 'Ed448' }),
]);

/** A certificate on secp256k1, for which the draft's profiles have no algorithm. Nobody has its private key. */
const KOBLITZ = `-----BEGIN CERTIFICATE-----
MIIBbDCCARKgAwIBAgIUBGW/QfdSiqxqBkL3z6nKlV1OdRIwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCazEwHhcNMjYxMTIyMjEwNjE0WhcNMjYxMjIyMjEwNjE0WjAN
MQswCQYDVQQDDAJrMTBWMBAGByqGSM49AgEGBSuBBAAKA0IABOia1rEcTbgREJPs
fhmUNheQYzlAem2LDOJz4R/MllY4/5m7oAhVROEDMVRsxNS+WpdDKl1u2WM0T8CA
9YoCnvWjUzBRMB0GA1UdDgQWBBRvDTZqRwHSmo45i4ht2ZdzcSzwXTAfBgNVHSME
GDAWgBRvDTZqRwHSmo45i4ht2ZdzcSzwXTAPBgNVHRMBAf8EBTADAQH/MAoGCCqG
SM49BAMCA0gAMEUCICyf9SmEg+YPICjIbRdnVZm5To2WeNDY3XA11ETgIcfmAiEA
94Dt77JNzPOkesYsGhBn2kcA1MMgkqg6V7g4UF2XjTE=
-----END CERTIFICATE-----
`;

const withoutCertificate = provenConnection('c1', alice, 'TLSv1.3', { clientChain: [] });

function certified(certificate: string): ProvenConnection {
  return provenConnection('c1', alice, 'TLSv1.3', { clientChain: [new X509Certificate(certificate)] });
}

/** The defects of a header that is right for a connection's certificate but for these members, in words. */
function ofHeader(members: Json, connection = provenConnection('c1')): readonly string[] {
  const [leaf] = connection.clientChain;
  const header = {
    typ: 'tls-binding-proof+jwt',
    alg: 'ES256',
    ...(leaf !== undefined && {
      'x5t#S256': Buffer.from(leaf.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
    }),
    ...members,
  };
  return told(examineHeader(header, circumstancesOn(connection)));
}

describe('the header: nothing is wrong with', () => {
  test.each<[algorithms: string, by: Identity]>([
    ['ES256', pki.alice['P-256']],
    ['ES384', pki.alice['P-384']],
    ['ES512', pki.alice['P-521']],
    ['RS256 RS384 RS512 PS256 PS384 PS512', pki.alice.RSA],
    ['PS256 PS384 PS512', pss],
    ['EdDSA Ed25519', pki.alice.Ed25519],
  ])('%s where the certificate has such a key', (algorithms, { certificate }) => {
    for (const alg of algorithms.split(' ')) expect(ofHeader({ alg }, certified(certificate))).toEqual([]);
  });

  test('what only a certificate could refute, where there is none', () => {
    expect(ofHeader({ alg: 'HS256', 'x5t#S256': 'any' }, withoutCertificate)).toEqual([]);
    expect(ofHeader({ typ: 'JWT' }, withoutCertificate)).toHaveLength(1);
  });

  test.each<[string, unknown]>([
    ['a public key', { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }],
    ['null', null],
    ['text', 'd'],
  ])('%s in the place of a key, as far as disclosure goes', (_what, jwk) => {
    expect(ofHeader({ jwk })).toEqual([]);
  });
});

describe('the header', () => {
  test('is told what typ has to be', () => {
    expect(ofHeader({ typ: 'JWT' })).toEqual([
      expect.stringMatching(/^typ: typ is "JWT"\. Set typ to tls-binding-proof\+jwt /),
    ]);
    expect(ofHeader({ typ: undefined })).toEqual([expect.stringMatching(/^typ: typ is missing\./)]);
  });

  test.each<[alg: string | undefined, certificate: string, kind: string, fitting: string]>([
    ['ES384', alice.certificate, 'on the curve prime256v1', 'ES256'],
    [undefined, pki.alice['P-384'].certificate, 'on the curve secp384r1', 'ES384'],
    ['none', pki.alice['P-521'].certificate, 'on the curve secp521r1', 'ES512'],
    ['ES256', pki.alice.RSA.certificate, 'rsa', 'RS256 or PS256 or RS384 or RS512 or PS384 or PS512'],
    ['RS256', pss.certificate, 'rsa-pss', 'PS256 or PS384 or PS512'],
    ['ES256', pki.alice.Ed25519.certificate, 'ed25519', 'EdDSA or Ed25519'],
    ['ES256', KOBLITZ, 'on the curve secp256k1', 'none is known'],
    ['ES256', ed448.certificate, 'ed448', 'none is known'],
  ])('is told that alg %s does not fit the key, and what would', (alg, certificate, kind, fitting) => {
    expect(ofHeader({ alg }, certified(certificate))).toEqual([
      `alg: alg is ${alg === undefined ? 'missing' : `"${alg}"`}, and the certificate's key is ${kind}. ` +
        `Derive alg from the certificate's key: here ${fitting}.`,
    ]);
  });

  test.each<[named: string, header: Json]>([
    ['d', { d: 'secret' }],
    ['k', { k: 'secret' }],
    ['d', { jwk: { kty: 'EC', x: 'a', y: 'b', d: 'secret' } }],
    ['d, p, q, dp, dq, qi, oth', { jwk: { oth: [], qi: '', dq: '', dp: '', q: '', p: '', d: '' } }],
    ['p, q', { p: 'secret', jwk: { q: 'secret' } }],
  ])('that holds %s gives a private key away: they are named, and the key is spent', (named, members) => {
    expect(ofHeader(members)).toEqual([
      expect.stringContaining(`disclosure: the header holds ${named}: members of a private key.`),
    ]);
    expect(ofHeader(members).join('')).toMatch(/Leave the key out of the header.*Replace this key/);
    expect(ofHeader(members).join('')).not.toContain('secret"');
  });
});

describe('a wrong thumbprint', () => {
  const leaf = new X509Certificate(alice.certificate);
  const hash = (octets: Uint8Array | string) => createHash('sha256').update(octets);
  const base64url = (octets: Uint8Array | string) => hash(octets).digest('base64url');
  const [stranger, root] = [pki.stranger, pki.trusted].map(
    ({ certificate }) => new X509Certificate(certificate),
  );
  const chain = [leaf, stranger, root].filter((one) => one !== undefined);
  const connection = provenConnection('c1', alice, 'TLSv1.3', { clientChain: chain });

  test.each<[suspicion: string, claim: string]>([
    ['hexadecimal text', hash(leaf.raw).digest('hex')],
    ['hexadecimal text', hash(leaf.raw).digest('hex').toUpperCase()],
    ['standard base64', hash(leaf.raw).digest('base64')],
    ['the hash of the PEM text', base64url(leaf.toString())],
    ['the hash of the PEM text', base64url(leaf.toString().trim())],
    ['the hash of the public key', base64url(leaf.publicKey.export({ type: 'spki', format: 'der' }))],
    ['of a certificate further up the chain', base64url(stranger?.raw ?? '')],
    ['of a certificate further up the chain', base64url(root?.raw ?? '')],
  ])('is known for %s', (suspicion, claim) => {
    expect(ofHeader({ 'x5t#S256': claim }, connection)).toEqual([
      `thumbprint: x5t#S256 is "${claim}", and the certificate's thumbprint is ${alice.thumbprint}. ` +
        `It is ${suspicion}. It has to be unpadded base64url of the SHA-256 over the whole DER of the certificate ` +
        'that is presented (RFC 8705 §3.1).',
    ]);
  });

  test('in base64url with padding is known for it, and not taken for standard base64', () => {
    // That of this very certificate has characters that tell the two alphabets apart.
    const right = base64url(new X509Certificate(KOBLITZ).raw);
    const found = ofHeader({ alg: 'ES256K', 'x5t#S256': `${right}=` }, certified(KOBLITZ));
    expect(found).toContainEqual(
      expect.stringMatching(/^thumbprint: .* It is padded\. It has to be unpadded/),
    );
  });

  test('of an unknown kind is suspected of nothing', () => {
    for (const claim of [pki.mallory.thumbprint, '', 7, null])
      expect(ofHeader({ 'x5t#S256': claim }, connection).join('\n')).toMatch(
        /^thumbprint: .*\. It has to be unpadded base64url of the SHA-256 over the whole DER/,
      );
  });

  test('is missing where there is none', () => {
    expect(ofHeader({ 'x5t#S256': undefined }, connection)).toEqual([
      expect.stringMatching(
        /^thumbprint: x5t#S256 is missing, .* Put x5t#S256 into the header: unpadded base64url of/,
      ),
    ]);
  });
});

/** The defects of the signature of a proof, in words. */
function ofSignature(
  change: ProofChange,
  connection = provenConnection('c1'),
  { by = alice, others = [] }: { by?: Identity; others?: readonly ProvenConnection[] } = {},
): readonly string[] {
  const proof = proofOn(connection, change, by);
  const { header } = readJwt(proof);
  return told(
    examineSignature(proof, isRecord(header) ? header : {}, circumstancesOn(connection, { others })),
  );
}

describe('the signature', () => {
  test('by the key of the certificate is right, whichever key that is', () => {
    for (const by of [...Object.values(pki.alice), pss])
      expect(ofSignature({}, provenConnection('c1', by), { by })).toEqual([]);
  });

  test('has no key to be verified with on a connection without a certificate', () => {
    expect(ofSignature({}, withoutCertificate)).toEqual([
      expect.stringMatching(
        /^signature: .*without a client certificate.*\. Make proofs only on connections .* was presented\.$/,
      ),
    ]);
  });

  test('by a key that is not known is to be made with that of the certificate', () => {
    expect(ofSignature({ signWith: pki.mallory })).toEqual([
      expect.stringMatching(
        /^signature: the signature \("ES256"\) does not verify with the key .*\. Sign with the private key of the certificate/,
      ),
    ]);
  });

  test.each(['P-384', 'RSA', 'Ed25519'] as const)(
    'by the %s key of another connection is told to be that, and not malformed',
    (key) => {
      const by = pki.alice[key];
      const others = [
        provenConnection('c5', alice, 'TLSv1.3', { clientChain: [] }),
        provenConnection('c6', pki.mallory),
        provenConnection('c7', by),
      ];
      expect(ofSignature({}, provenConnection('c1'), { by, others })).toEqual([
        expect.stringMatching(
          /^signature: .* does not verify .*\. The key is that of the certificate on connection c7:/,
        ),
      ]);
    },
  );

  test('of an RSA key has no form of its own: one that is cut off does not verify', () => {
    const by = pki.alice.RSA;
    const cut = ofSignature({ signature: (right) => right.subarray(1) }, provenConnection('c1', by), { by });
    expect(cut).toEqual([expect.stringMatching(/^signature: .*\("RS256"\) does not verify/)]);
  });
});

describe('an ECDSA signature', () => {
  const { privateKey } = alice;
  const ofLength = (length: number) => ({ signature: () => Buffer.alloc(length, 1) });

  test('in DER is known for it', () => {
    const found = ofSignature({ signature: (_right, input) => sign('sha256', input, privateKey) });
    expect(found).toEqual([expect.stringMatching(/^form: /), expect.stringMatching(/^signature: /)]);
    for (const words of found)
      expect(words).toMatch(/has (6[6-9]|7[0-2]) octets, and must have 64\. The signature is in DER\./);
  });

  test.each([63, 58])('of %i octets may have lost leading zeros: only its form is wrong', (length) => {
    expect(ofSignature(ofLength(length))).toEqual([
      expect.stringMatching(
        `^form: the ECDSA signature has ${length} octets, and must have 64\\. R and S each keep their full length`,
      ),
    ]);
  });

  test.each([57, 65, 1])('of %i octets is by nobody as well', (length) => {
    expect(ofSignature(ofLength(length))).toEqual([
      expect.stringMatching(`^form: .* has ${length} octets`),
      expect.stringMatching(`^signature: .* has ${length} octets`),
    ]);
  });

  test.each([
    ['R, at its end', 0, 31],
    ['S, at its end', 32, 63],
    ['S, in front of both', 32, 0],
    ['R, behind both', 0, 63],
  ])('with the zero octet of %s is malformed, and by the right key', (_where, from, to) => {
    const signature = (_right: Uint8Array, input: Uint8Array): Buffer => {
      for (;;) {
        const valid = sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
        if (valid[from] !== 0) continue;
        const octets = [...valid];
        octets.splice(to, 0, ...octets.splice(from, 1));
        if (!valid.equals(Buffer.from(octets))) return Buffer.from(octets);
      }
    };
    expect(ofSignature({ signature })).toEqual([
      expect.stringMatching(/^form: .* R or S is padded in the wrong place\. R and S each keep/),
    ]);
  });

  test('of the right length that does not verify is not malformed', () => {
    expect(ofSignature(ofLength(64))).toEqual([expect.stringMatching(/^signature: .* does not verify/)]);
  });

  test.each([
    ['P-384', 96],
    ['P-521', 132],
  ] as const)('by a %s key has %i octets', (key, right) => {
    const by = pki.alice[key];
    expect(ofSignature(ofLength(64), provenConnection('c1', by), { by })[0]).toContain(
      `has 64 octets, and must have ${right}`,
    );
  });
});
