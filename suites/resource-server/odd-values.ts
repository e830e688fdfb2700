import {
  HASH_SHAPES,
  sameAsCString,
  shapedSignature,
  signatureShapes,
  tokenWithHash,
} from '../../harness/forge/odd-values.ts';
import { privateKeyOf } from '../../harness/forge/keys.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Identity } from '../../certs/identity.ts';
import { naturalAlgorithm } from '../../harness/forge/jws.ts';

/**
 * draft -06 §2.3, §3.3.2 step 5: valid values that one in 32 to one in 256 proofs, tokens or certificates has by chance, and
 * that are made on purpose here. What the suite makes elsewhere has none of these shapes.
 */

/** Why a valid signature of a shape is rejected; the other shapes are rejected for their zero octets. */
const RARE_SIGNATURES: Readonly<Record<string, string>> = {
  'begins with 0x30, as DER does':
    'A signature that begins with 0x30 is taken for DER, as one valid ECDSA signature in 256 does. Do not guess the form from the octets: it is R and S side by side, whatever the first octet is (RFC 7518 §3.4).',
  'begins with - or _ as text':
    'The signature is trimmed, or decoded from the standard alphabet. Its text may begin with - or _ (RFC 7515 §2).',
};
const LEADING_ZEROS =
  'Leading zero octets are lost, or not expected: of R and S, one in 128 valid ECDSA signatures has some. Both keep their full length (RFC 7518 §3.4); where a library wants DER, convert them as unsigned numbers. An RSA signature is as long as its modulus (RFC 8017 §8.1.1).';
const RARE_HASH =
  'One valid hash in some dozens is rejected. Its text may begin with - or _ and its octets may be zero: compare the whole text as it stands, without trimming or decoding it.';
const C_STRING =
  'Decoded values are compared as C strings, which end at the first zero octet: whoever tries some hundred values has one that counts as the same. Compare all 32 octets, or the text (memcmp, not strcmp).';

/** A certificate of the rightful client whose thumbprint is as wanted, for the same key. */
function certified({ setting, permutation }: Stage, hash: (octets: Buffer) => boolean): Promise<Identity> {
  return setting.issue(setting.pki.trusted, {
    name: 'alice, with a rare thumbprint',
    keyType: permutation.key,
    key: setting.pki.alice[permutation.key].privateKey,
    subject: { CN: 'alice' },
    hash,
  });
}

export const oddValues = suite('resource-server', 'odd-values', [
  {
    id: 'RS-SIG-5',
    title:
      'accepts valid signatures of rare shapes: leading zero octets, or a first octet that resembles DER',
    across: { key: ['P-256', 'P-384', 'P-521', 'RSA'] },
    async run(stage) {
      const { key } = stage.permutation;
      // RSASSA-PKCS1-v1_5 makes the same signature each time.
      const algorithm = key === 'RSA' ? { algorithm: 'PS256' } : {};
      await stage.control('a signature without rare octets', { proof: algorithm });
      for (const shape of signatureShapes(key)) {
        const signature = shapedSignature(stage.alice, algorithm.algorithm ?? naturalAlgorithm(key), shape);
        await stage.accepts(
          `the signature ${shape.what}`,
          { proof: { ...algorithm, signature } },
          {},
          RARE_SIGNATURES[shape.what] ?? LEADING_ZEROS,
        );
      }
    },
  },
  {
    id: 'RS-PL-2.rare',
    title: 'accepts hashes that begin with -, _ or a zero octet, and compares them beyond zero octets',
    async run(stage) {
      const issuerKey = privateKeyOf(stage.setting.issuer.privateKey);
      await stage.control();
      for (const shape of Object.values(HASH_SHAPES))
        await stage.accepts(
          `the hash of the token ${shape.what}`,
          {
            token: tokenWithHash(issuerKey, shape),
          },
          {},
          RARE_HASH,
        );
      await stage.refuses(
        refused('invalid_proof'),
        [
          {
            what: 'ath is the right value up to its zero octet, and another after it',
            change: { proof: { ath: ({ sha256 }) => sameAsCString(sha256) } },
            cause: C_STRING,
          },
        ],
        { token: tokenWithHash(issuerKey, HASH_SHAPES.zeroThird) },
      );
    },
  },
  {
    id: 'RS-MTLS-4.rare',
    title: 'accepts thumbprints that begin with - or _ or hold a zero octet, and compares them beyond it',
    async run(stage) {
      const dashed = await certified(stage, (octets) => (octets[0] ?? 0) >= 0xf8 && !octets.includes(0));
      const zero = await certified(
        stage,
        (octets) => (octets[0] ?? 0) < 0xf8 && [1, 2, 3, 4].includes(octets.indexOf(0)),
      );
      await stage.control();
      for (const [identity, what] of [
        [dashed, 'begins with - or _'],
        [zero, 'has a zero octet among the first five'],
      ] as const)
        await stage.accepts(
          `the thumbprint of the certificate ${what}`,
          { token: { boundTo: identity } },
          { connect: { identity } },
          RARE_HASH,
        );
      await stage.refuses(
        refused('invalid_token', 'invalid_proof'),
        [
          {
            what: 'the token is bound to the thumbprint up to its zero octet, and to another after it',
            change: { token: { boundTo: sameAsCString(zero.thumbprint) } },
            cause: C_STRING,
          },
        ],
        { token: { boundTo: zero } },
        { connect: { identity: zero } },
      );
    },
  },
]);
