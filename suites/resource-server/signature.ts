import {
  derSignature,
  highS,
  padded,
  SCALAR_LENGTH,
  zeroAndOrder,
  zeroSignature,
} from '../../harness/forge/ecdsa-signature.ts';
import type { Curve } from '../../harness/forge/ecdsa-signature.ts';
import { respaced } from '../../harness/forge/json-text.ts';
import { encodePart } from '../../harness/forge/jws.ts';
import { privateKeyOf, publicKeyOf } from '../../harness/forge/keys.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { ProofPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Identity } from '../../certs/identity.ts';

/** draft -06 §2.3.3, §3.3.2 step 5e: the signature of a proof, and the key that it is verified with. */

const NOT_VERIFIED =
  'The proof is read without its signature being verified, or its verification’s result is not looked at. Verify over the received octets of the first two parts, dot included (RFC 7515 §5.2).';
const REPARSED =
  'The signature is verified over a header or payload that was parsed and written again. Verify over the octets as received (RFC 7515 §5.2).';
const ANOTHER_FORM =
  'ECDSA signatures that are not R and S side by side, each as long as the curve’s order, are taken (RFC 7518 §3.4). Check the length, and give the octets to a verifier for just this form.';
const RANGE_NOT_CHECKED =
  'R or S of zero, or beyond the curve’s order, verifies under any key at all: the library misses the range check (as in CVE-2022-21449). Update it.';
const ISSUER_KEY =
  'Proofs are verified with the keys of the token issuer as well: one set of keys serves both. Use the public key of the certificate that was authenticated on this connection, and no other.';
const KEY_FROM_PROOF =
  'The verification key is taken from the proof, which its sender has written. Use the public key of the certificate that was authenticated on this connection, and no other.';

function otherwise(what: string, proof: ProofPlan, differs: readonly string[], cause?: string): Variation {
  return { what, change: { proof }, differs, ...(cause !== undefined && { cause }) };
}

/** The right proof with one part's octets changed after signing. */
function changedPart(index: 0 | 1, change: (right: string) => string | Uint8Array): ProofPlan {
  return {
    compact: (right) =>
      right
        .split('.')
        .map((part, at) =>
          at === index ? encodePart(change(Buffer.from(part, 'base64url').toString())) : part,
        )
        .join('.'),
  };
}

function flipped(octets: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(octets);
  copy[at] = (copy[at] ?? 0) ^ bit;
  return copy;
}

/** Curves with an octet length of R and S that is another curve's. */
const WRONG_LENGTH: Readonly<Record<Curve, number>> = {
  'P-256': SCALAR_LENGTH['P-384'],
  'P-384': SCALAR_LENGTH['P-521'],
  'P-521': 72,
};
const CURVES = ['P-256', 'P-384', 'P-521'] as const satisfies readonly Curve[];

/** The base64 (not base64url) DER of a certificate, as `x5c` has it (RFC 7515 §4.1.6). */
function x5c(identity: Identity): readonly string[] {
  return [identity.certificate.replace(/-----[A-Z ]+-----|\s/g, '')];
}

export const signature = suite('resource-server', 'signature', [
  {
    id: 'RS-SIG-1',
    title: 'refuses a proof whose header, payload or signature was changed after signing',
    across: { key: AXES.key },
    cause: NOT_VERIFIED,
    async run(stage) {
      const { proofs } = await stage.control('a proof whose signature is reused');
      const signatureOfAnother = proofs[0]?.split('.')[2] ?? '';
      const signed = ['proof.signature'];
      await stage.refuses(refused('invalid_proof'), [
        otherwise(
          'the first bit of the signature is flipped',
          { signature: (right) => flipped(right, 0, 0x80) },
          signed,
        ),
        otherwise(
          'the last bit of the signature is flipped',
          { signature: (right) => flipped(right, right.length - 1, 1) },
          signed,
        ),
        otherwise(
          'one bit in the middle of the signature is flipped',
          { signature: (right) => flipped(right, right.length >> 1, 4) },
          signed,
        ),
        otherwise(
          'one bit of iat is flipped',
          changedPart(1, (right) =>
            right.replace(/(?<="iat":\d+)\d(?!\d)/, (digit) => String(Number(digit) ^ 1)),
          ),
          signed,
        ),
        otherwise(
          'the payload has got one more claim',
          changedPart(1, (right) => right.replace('{', '{"x":1,')),
          ['proof.claims.x', ...signed],
        ),
        otherwise(
          'the header has got one more parameter',
          changedPart(0, (right) => right.replace('{', '{"x":1,')),
          ['proof.header.x', ...signed],
        ),
        otherwise(
          'the payload is the same with other white space',
          changedPart(1, respaced),
          ['proof.claims', ...signed],
          REPARSED,
        ),
        otherwise(
          'the header is the same with other white space',
          changedPart(0, respaced),
          ['proof.header', ...signed],
          REPARSED,
        ),
        otherwise(
          'the signature is that of another proof',
          { compact: (right) => right.replace(/[^.]*$/, signatureOfAnother) },
          signed,
        ),
        otherwise(
          'the signature is random',
          { signature: (right) => Buffer.alloc(right.length, 0x5a) },
          signed,
        ),
        otherwise('the signature is by another client’s key', { signWith: stage.mallory }, signed),
      ]);
    },
  },
  {
    id: 'RS-SIG-2',
    title: 'refuses ECDSA signatures that are not in the fixed-length form or out of range',
    across: { key: CURVES },
    cause: ANOTHER_FORM,
    async run(stage) {
      const curve = CURVES.find((each) => each === stage.permutation.key) ?? 'P-256';
      const order = zeroAndOrder(curve).subarray(SCALAR_LENGTH[curve]);
      const signed = (what: string, change: (right: Buffer) => Buffer, cause?: string): Variation =>
        otherwise(`the signature ${what}`, { signature: change }, ['proof.signature'], cause);
      await stage.refuses(refused('invalid_proof'), [
        signed('is DER', derSignature),
        signed('is one octet short', (right) => right.subarray(0, -1)),
        signed('has one octet more', (right) => Buffer.concat([right, Buffer.alloc(1)])),
        signed('has one octet more in front', (right) => Buffer.concat([Buffer.alloc(1), right])),
        signed('has R and S padded to another curve’s length', (right) => padded(right, WRONG_LENGTH[curve])),
        signed('is R only', (right) => right.subarray(0, SCALAR_LENGTH[curve])),
        signed('is R = S = 0', () => zeroSignature(curve), RANGE_NOT_CHECKED),
        signed('is R = 0, S = n', () => zeroAndOrder(curve), RANGE_NOT_CHECKED),
        signed('is R = S = n', () => Buffer.concat([order, order]), RANGE_NOT_CHECKED),
      ]);
      const high = await stage.send('a signature with S above n/2', {
        proof: { signature: (right) => highS(right, curve) },
      });
      if (!high.served)
        stage.observe(
          `a signature with S above n/2 is refused (${high.reading.text}), although it is valid (RFC 7518 §3.4): half of all honest proofs have one`,
        );
    },
  },
  {
    id: 'RS-HDR-7',
    title:
      'verifies with the key of the certificate authenticated on this connection and follows no reference in the header',
    cause: KEY_FROM_PROOF,
    async run(stage) {
      const { mallory, alice, setting } = stage;
      const stranger = await setting.selfSigned('tsbt stranger');
      await using canary = await setting.canary();
      const forged = (what: string, by: Identity, header: Readonly<Record<string, unknown>>): Variation =>
        otherwise(what, { header, signWith: by }, [
          ...Object.keys(header).map((name) => `proof.header.${name}`),
          'proof.signature',
        ]);
      const issuerKey = privateKeyOf(setting.issuer.privateKey);
      await stage.refuses(refused('invalid_proof'), [
        forged('jwk is the attacker’s, and the attacker signed', mallory, {
          jwk: publicKeyOf(mallory).export({ format: 'jwk' }),
        }),
        forged('x5c is the attacker’s self-signed certificate, and the attacker signed', stranger, {
          x5c: x5c(stranger),
        }),
        forged('x5c and x5t#S256 are the attacker’s, and the attacker signed', mallory, {
          x5c: x5c(mallory),
          'x5t#S256': mallory.thumbprint,
        }),
        forged('x5c is the right certificate, but the attacker signed', mallory, { x5c: x5c(alice) }),
        forged('jku is the attacker’s, and the attacker signed', mallory, {
          jku: `${canary.url}/jwks.json`,
          kid: '1',
        }),
        forged('x5u is the attacker’s, and the attacker signed', mallory, { x5u: `${canary.url}/chain.pem` }),
        forged('kid is a path, and the attacker signed', mallory, { kid: '../../../../dev/null' }),
        forged('kid is SQL, and the attacker signed', mallory, { kid: "x' UNION SELECT 'key" }),
        otherwise('the token issuer signed', { signWith: issuerKey }, ['proof.signature'], ISSUER_KEY),
        otherwise(
          'the token issuer signed, and kid names its key',
          { header: { kid: setting.issuer.kid }, signWith: issuerKey },
          ['proof.header.kid', 'proof.signature'],
          ISSUER_KEY,
        ),
      ]);
      // Whether such references are ignored or refused in a proof that is signed right is open; following them is not.
      for (const name of ['jku', 'x5u'])
        await stage.send(`${name} in a proof that is right otherwise`, {
          proof: { header: { [name]: `${canary.url}/${name}` } },
        });
      await stage.control('the right request, while a fetch would be under way');
      stage.holds(
        canary.requests.length === 0,
        `the target followed a reference in the proof: ${canary.requests.join(', ')}`,
        'The JOSE library fetches what jku or x5u name: whoever sends a proof chooses the key and makes the server call any address. Switch remote keys off and use the certificate’s key.',
      );
    },
  },
]);
