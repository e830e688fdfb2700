import { createCipheriv, randomBytes } from 'node:crypto';
import { encodePart, naturalAlgorithm, signer, signJws } from '../../harness/forge/jws.ts';
import { privateKeyOf } from '../../harness/forge/keys.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import type { ProofPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';

/** draft -06 §2.3.1 and §2.3: what the header of a proof says, and which serialization it comes in. */

const TYPE_NOT_CHECKED =
  'The header parameter typ is not compared with tls-binding-proof+jwt, so a JWT that the client signed for another end passes as a proof. Compare it before anything else (RFC 8725 §3.11).';
const THUMBPRINT_NOT_COMPARED =
  'The header parameter x5t#S256 is not compared with the SHA-256 thumbprint of the connection’s client certificate. Demand it, and compare all 43 characters.';
const ONLY_WHERE_PRESENT = 'The header parameter x5t#S256 is compared only where it is present. Demand it.';
const DECODED =
  'The header parameter x5t#S256 is decoded or converted before it is compared. Demand a string, and compare it as it is.';
const CRIT_IGNORED =
  'The header parameter crit is ignored like an unknown one. It is the one parameter that every JWS implementation has to process: refuse the proof unless each extension that it lists is understood (RFC 7515 §4.1.11).';
const CRIT_NOT_CHECKED =
  'The form of crit is not checked, or the parameter is ignored altogether. It is a list, not empty, of the names of extensions that the header carries (RFC 7515 §4.1.11): refuse any other.';
const UNENCODED =
  'The JWS library honours the unencoded-payload option (RFC 7797) or a detached payload. Neither exists for JWTs: refuse b64 and an empty second part.';
const OTHER_FORM =
  'Something other than a JWS in compact serialization with three parts is taken. Split at the dots, refuse anything but three parts, and give the library’s compact-only function the whole text.';

/** A right proof but for these header parameters; it is signed with them. */
function header(what: string, members: Readonly<Record<string, unknown>>, cause?: string): Variation {
  return { what, change: { proof: { header: members } }, ...(cause !== undefined && { cause }) };
}

function typed(typ: unknown, what = `typ is ${JSON.stringify(typ)}`): Variation {
  return header(what, { typ });
}

/** A right proof put into another shape as a whole. */
function reshaped(what: string, compact: (right: string) => string): Variation {
  return { what, change: { proof: { compact } }, differs: ['proof'] };
}

export const joseHeader = suite('resource-server', 'jose-header', [
  {
    id: 'RS-HDR-1',
    title: 'refuses a proof whose type is that of another protocol’s JWT',
    cause: TYPE_NOT_CHECKED,
    async run(stage) {
      const foreign = [
        'dpop+jwt',
        'at+jwt',
        'application/at+jwt',
        'wpt+jwt',
        'wit+jwt',
        'client-authentication+jwt',
        'oauth-authz-req+jwt',
      ];
      await stage.refuses(
        refused('invalid_proof'),
        foreign.map((typ) => typed(typ)),
      );
    },
  },
  {
    id: 'RS-HDR-1.untyped',
    title: 'refuses a proof without a type of its own',
    cause: TYPE_NOT_CHECKED,
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [
        typed(undefined, 'typ is absent'),
        typed('JWT'),
        typed('jwt'),
        typed(''),
        typed(null),
        typed(1),
        typed(['tls-binding-proof+jwt']),
        typed({ typ: 'tls-binding-proof+jwt' }),
        typed('tls-binding-proof'),
        typed('tls-binding-proof+jwt2'),
      ]);
    },
  },
  {
    id: 'RS-HDR-2',
    title: 'compares the type by its characters, without media-type equivalence',
    async run(stage) {
      await stage.control();
      for (const typ of [
        'application/tls-binding-proof+jwt',
        'TLS-Binding-Proof+JWT',
        'tls-binding-proof+jwt; charset=utf-8',
        'tls-binding-proof+jwt;v=1',
      ]) {
        const exchange = await stage.send(`typ is ${typ}`, { proof: { header: { typ } } });
        if (exchange.served) stage.observe(`typ ${typ} is taken for tls-binding-proof+jwt (AMB-11)`);
      }
    },
  },
  {
    id: 'RS-HDR-8',
    title: 'refuses a proof whose header does not carry the thumbprint of this connection’s certificate',
    cause: THUMBPRINT_NOT_COMPARED,
    async run(stage) {
      const { thumbprint } = stage.alice;
      const octets = Buffer.from(thumbprint, 'base64url');
      const carrying = (what: string, value: unknown, cause: string): Variation =>
        header(`x5t#S256 is ${what}`, { 'x5t#S256': value }, cause);
      await stage.refuses(refused('invalid_proof'), [
        carrying('absent', undefined, ONLY_WHERE_PRESENT),
        carrying(
          'the thumbprint of another client’s certificate',
          stage.mallory.thumbprint,
          THUMBPRINT_NOT_COMPARED,
        ),
        carrying(
          '20 octets, as many as a SHA-1 thumbprint has',
          octets.subarray(0, 20).toString('base64url'),
          'Only the beginning of x5t#S256 is compared. Compare all 43 characters.',
        ),
        carrying('the right value with padding', `${thumbprint}=`, DECODED),
        carrying('the right value in hexadecimal', octets.toString('hex'), DECODED),
        carrying('the right value in an array', [thumbprint], DECODED),
        carrying('empty', '', ONLY_WHERE_PRESENT),
        header(
          'the right value is named x5t#s256',
          { 'x5t#S256': undefined, 'x5t#s256': thumbprint },
          'Names of header parameters are compared without regard to letter case, or x5t#S256 is compared only where it is present. Demand it, by exactly this name (RFC 7515 §4).',
        ),
      ]);
    },
  },
  {
    id: 'RS-HDR-9',
    title: 'refuses a proof that marks an unknown extension as critical',
    cause: CRIT_IGNORED,
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [
        header('crit lists an unknown extension', { crit: ['x-unknown'], 'x-unknown': true }),
        header('crit lists two unknown extensions', { crit: ['x-one', 'x-two'], 'x-one': 1, 'x-two': 2 }),
        header('crit lists an unknown extension that the header does not carry', { crit: ['x-unknown'] }),
        header('crit lists an unknown extension that is named like typ but for letter case', {
          crit: ['TYP'],
          TYP: 'tls-binding-proof+jwt',
        }),
        header('crit lists a known parameter and an unknown extension', {
          crit: ['typ', 'x-unknown'],
          'x-unknown': true,
        }),
      ]);
    },
  },
  {
    id: 'RS-HDR-9.malformed',
    title: 'refuses a proof with a malformed crit',
    cause: CRIT_NOT_CHECKED,
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [
        header('crit is an empty list', { crit: [] }),
        header('crit lists the registered parameter alg', { crit: ['alg'] }),
        header('crit lists the same name twice', { crit: ['typ', 'typ'] }),
        header('crit is text', { crit: 'x-unknown' }),
        header('crit is an object', { crit: { 'x-unknown': true } }),
        header('crit is null', { crit: null }),
        header('crit lists a number', { crit: [1] }),
      ]);
    },
  },
  {
    id: 'RS-HDR-10',
    title: 'refuses a proof with an unencoded or a detached payload',
    cause: UNENCODED,
    async run(stage) {
      const whole = { differs: ['proof'] };
      await stage.refuses(refused('invalid_proof'), [
        {
          what: 'the payload stands there as JSON, with b64 false and critical',
          change: { proof: unencoded(stage, { b64: false, crit: ['b64'] }) },
          ...whole,
        },
        {
          what: 'the payload stands there as JSON, with b64 false',
          change: { proof: unencoded(stage, { b64: false }) },
          ...whole,
        },
        {
          what: 'the payload stands there as JSON, without b64',
          change: { proof: unencoded(stage, {}) },
          ...whole,
        },
        header(
          'b64 is false and critical, and the payload is encoded all the same',
          { b64: false, crit: ['b64'] },
          CRIT_IGNORED,
        ),
        reshaped('the payload is detached', (right) => right.replace(/\..*\./, '..')),
        {
          what: 'the payload is empty, and the signature is over that',
          change: { proof: { payloadText: () => '' } },
          ...whole,
          cause:
            'A proof without claims is accepted: ath, ekm and iat are checked only where they are present, or an error is taken for success.',
        },
      ]);
    },
  },
  {
    id: 'RS-HDR-10.not-critical',
    title: 'refuses a proof that says b64 false without marking it as critical',
    cause:
      'RFC 7797 §7 forbids b64 false in JWTs; a library that does not know the parameter ignores it, as RFC 7515 §4 has it. Refuse b64 altogether.',
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [
        header('b64 is false, and the payload is encoded as ever', { b64: false }),
      ]);
    },
  },
  {
    id: 'RS-HDR-11',
    title: 'refuses whatever is not a JWS in compact serialization with three parts',
    cause: OTHER_FORM,
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [
        reshaped('the proof inside a JWE', encrypted),
        reshaped('the proof with two more parts, as many as a JWE has', (right) => `${right}.AAAA.AAAA`),
        reshaped('the proof with a fourth part', (right) => `${right}.AAAA`),
        reshaped('the proof with an empty fourth part', (right) => `${right}.`),
        reshaped('the proof with an empty part before it', (right) => `.${right}`),
        reshaped('the proof as flattened JSON', flattened),
        reshaped('the proof as flattened JSON in base64url', (right) => encodePart(flattened(right))),
        reshaped('the proof as general JSON', general),
        reshaped('the proof as general JSON in base64url', (right) => encodePart(general(right))),
        reshaped('the proof nested in a JWT of the same client', nested(stage, { cty: 'JWT' })),
        reshaped('the proof nested in a JWT without cty', nested(stage, {})),
      ]);
    },
  },
]);

/** The payload as the JSON text that it is, and the signature over that (RFC 7797 §3). */
function unencoded(stage: Stage, members: Readonly<Record<string, unknown>>): ProofPlan {
  const sign = signer(naturalAlgorithm(stage.alice.keyType), privateKeyOf(stage.alice.privateKey));
  const raw = (text: string): string => {
    const [first, payload = '', ...rest] = text.split('.');
    return [first, Buffer.from(payload, 'base64url').toString(), ...rest].join('.');
  };
  return {
    header: members,
    signature: (_right, input) => sign(Buffer.from(raw(input.toString()))),
    compact: raw,
  };
}

/** A JWE that is encrypted directly with a key nobody else has (RFC 7516 §3.1, RFC 7518 §4.5). */
function encrypted(proof: string): string {
  const [protectedHeader, iv] = [
    encodePart({ alg: 'dir', enc: 'A256GCM', cty: 'JWT', typ: 'tls-binding-proof+jwt' }),
    randomBytes(12),
  ];
  const cipher = createCipheriv('aes-256-gcm', randomBytes(32), iv).setAAD(Buffer.from(protectedHeader));
  const content = Buffer.concat([cipher.update(proof), cipher.final()]);
  return [protectedHeader, '', encodePart(iv), encodePart(content), encodePart(cipher.getAuthTag())].join(
    '.',
  );
}

/** RFC 7515 §7.2.2 */
function flattened(proof: string): string {
  const [header64, payload, signature] = proof.split('.');
  return JSON.stringify({ payload, protected: header64, signature });
}

/** RFC 7515 §7.2.1 */
function general(proof: string): string {
  const [header64, payload, signature] = proof.split('.');
  return JSON.stringify({ payload, signatures: [{ protected: header64, signature }] });
}

/** A JWT of the proof's own type whose payload is the proof (RFC 7519 §5.2). */
function nested(stage: Stage, members: Readonly<Record<string, unknown>>): (proof: string) => string {
  const { keyType, privateKey, thumbprint } = stage.alice;
  const alg = naturalAlgorithm(keyType);
  const outer = { typ: 'tls-binding-proof+jwt', alg, 'x5t#S256': thumbprint, ...members };
  return (proof) => signJws({ header: outer, payload: proof, sign: signer(alg, privateKeyOf(privateKey)) });
}
