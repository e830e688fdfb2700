import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { hmacKeys } from '../../harness/forge/algorithm-confusion.ts';
import { privateKeyOf } from '../../harness/forge/keys.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { Permutation } from '../../harness/scenario/record.ts';
import type { ProofPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Connection } from '../../harness/wire/connection.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { another } from './primed.ts';
import { answered } from './token-expiry.ts';

/** draft -06 §2.3.1, §2.3.3: which algorithms a proof may be signed with. */

type Key = Permutation['key'];

const ANY_ALGORITHM =
  'The algorithm is chosen by the header alone, or the header’s alg is not looked at. Derive from type and curve of the certificate’s key which algorithms may be used, and demand that alg is one of them (RFC 8725 §3.1).';
const UNSIGNED =
  'A proof without a signature is taken: alg none is among the accepted algorithms, or a failed verification is not noticed. Accept only the algorithms that fit the certificate’s key.';
const SYMMETRIC =
  'The public key is handed to whatever algorithm the header names, so that an HMAC keyed with public octets verifies. Accept only the algorithms that fit the certificate’s key (RFC 8725 §2.1).';

/** The algorithms that fit each key type (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). */
const FIT: Readonly<Record<Key, readonly string[]>> = {
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  RSA: ['RS256', 'PS256', 'RS384', 'PS384', 'RS512', 'PS512'],
  Ed25519: ['EdDSA', 'Ed25519'],
};

/** Algorithms of another family or curve. */
const UNFIT: Readonly<Record<Key, readonly string[]>> = {
  'P-256': ['ES384', 'ES512', 'ES256K', 'RS256', 'PS256', 'EdDSA'],
  'P-384': ['ES256', 'ES512', 'RS384', 'PS384', 'EdDSA'],
  'P-521': ['ES256', 'ES384', 'RS512', 'PS512', 'EdDSA'],
  RSA: ['ES256', 'ES384', 'EdDSA'],
  Ed25519: ['ES256', 'ES512', 'RS256', 'PS256'],
};

const OTHER_CURVE = /^ES\d+$/;

/** The algorithm in the header with the signature that it gives with this key, and with the signature that the key's own gives. */
function unfit(key: Key, algorithm: string): readonly Variation[] {
  const readable = key.startsWith('P-') && OTHER_CURVE.test(algorithm);
  return [
    {
      what: `alg ${algorithm} with a ${key} key, signed that way`,
      change: { proof: { algorithm } },
      differs: ['proof.header.alg', ...(readable ? [] : ['proof.signature'])],
    },
    {
      what: `alg ${algorithm} with a ${key} key, signed with the key’s own algorithm`,
      change: { proof: { header: { alg: algorithm } } },
      differs: ['proof.header.alg', 'proof.signature'],
    },
  ];
}

/** The algorithms of a key type of which the target serves a proof, or why a client cannot authenticate with such a key. */
async function servedWith(
  stage: Stage,
  key: Key,
): Promise<{ readonly served: readonly string[]; readonly refusal: string } | string> {
  const identity = stage.setting.pki.alice[key];
  const connect = { identity };
  const tried = await stage.tryConnect(connect);
  if ('kind' in tried) return `a client with a ${key} certificate is not let in`;
  await tried.close();
  const { certificateWithheld } = tried.facts;
  if (certificateWithheld !== undefined)
    return `a client does not authenticate with a ${key} certificate: ${certificateWithheld}`;
  const served: string[] = [];
  let refusal = '';
  let used: Connection | undefined;
  for (const algorithm of FIT[key]) {
    const exchange = await stage.send(
      `alg ${algorithm} with a ${key} certificate`,
      { token: { boundTo: identity }, proof: { algorithm } },
      { connect },
    );
    used = exchange.connection;
    if (exchange.reading.kind === 'cut') return `a client with a ${key} certificate is not let in`;
    if (exchange.served) served.push(algorithm);
    else refusal = exchange.reading.text;
  }
  // A target may limit how many are open at once.
  await used?.close();
  return { served, refusal };
}

const OTHER_KEYS = AXES.key.filter((key) => key !== 'P-256');

function unsigned(what: string, proof: ProofPlan, differs: readonly string[] = ['proof']): Variation {
  return { what, change: { proof }, differs };
}

/** HMACs keyed with everything public about a request: its token, its connection, and the client's certificate. */
async function symmetric(stage: Stage, algorithm: string): Promise<readonly Variation[]> {
  const [connection, token] = await Promise.all([stage.connect(), stage.mint()]);
  const ekm = connection.exporter();
  return hmacKeys({ identity: stage.alice, ekm, token: token.compact }).map(({ name, key }) => ({
    what: `alg ${algorithm} keyed with ${name}`,
    change: { token, proof: { algorithm, signWith: key } },
    ...(key.equals(ekm) && { on: connection }),
    differs: ALG_AND_SIGNATURE,
  }));
}

const ALG_AND_SIGNATURE = ['proof.header.alg', 'proof.signature'];

export const algorithms = suite('resource-server', 'algorithms', [
  {
    id: 'RS-HDR-3',
    title: 'refuses a proof whose algorithm does not fit the key of the connection’s certificate',
    across: { key: AXES.key },
    cause: ANY_ALGORITHM,
    async run(stage) {
      const { key } = stage.permutation;
      await stage.refuses(
        refused('invalid_proof'),
        UNFIT[key].flatMap((algorithm) => unfit(key, algorithm)),
      );
    },
  },
  {
    id: 'RS-HDR-4',
    title: 'accepts ES256 from a client with a P-256 certificate',
    judgesControl: true,
    cause: 'ES256 is not among the algorithms that proofs may be signed with.',
    async run(stage) {
      if (stage.alice.keyType !== 'P-256')
        stage.notApplicable('the client certificate that the target was given with is not P-256');
      const baseline = answered(
        stage,
        await stage.send(
          'alg ES256 with a P-256 certificate',
          { proof: { algorithm: 'ES256' } },
          {},
          'variant',
          'served',
        ),
      );
      if (baseline.served) return;
      for (const key of OTHER_KEYS) {
        const found = await servedWith(stage, key);
        const [algorithm] = typeof found === 'string' ? [] : found.served;
        if (algorithm === undefined) continue;
        stage.holds(
          false,
          `alg ES256 with a P-256 certificate is answered ${baseline.reading.text}, while alg ${algorithm} with a ${key} certificate is served`,
        );
        return;
      }
      stage.inconclusive(
        'no proof is served, whatever its algorithm, so this is not about ES256; see RS-EKM-1',
        'target',
      );
    },
  },
  {
    id: 'RS-HDR-4.other-keys',
    title: 'accepts, for each further key type that it lets in, at least one algorithm that fits it',
    cause:
      'The algorithms that proofs may be signed with are fewer than the key types that client certificates may have. Support what TLS lets in, or let in only what is supported.',
    async run(stage) {
      await stage.control();
      for (const key of OTHER_KEYS) {
        const found = await servedWith(stage, key);
        if (typeof found === 'string') {
          stage.note(found);
          continue;
        }
        stage.holds(
          found.served.length > 0,
          `a client with a ${key} certificate is let in, but no proof by it is taken: ${FIT[key].join(', ')} tried, answered ${found.refusal} (AMB-12)`,
        );
        if (found.served.length > 0) stage.note(`${key}: ${found.served.join(', ')}`);
      }
    },
  },
  {
    id: 'RS-HDR-5',
    title: 'refuses unsigned proofs, in whatever spelling of alg none',
    cause: UNSIGNED,
    async run(stage) {
      const none = ['none', 'None', 'NONE', 'nOnE'];
      await stage.refuses(refused('invalid_proof'), [
        ...none.map((algorithm) => unsigned(`alg ${algorithm} with an empty signature`, { algorithm })),
        ...none.map((alg) => unsigned(`alg ${alg} with a signature`, { header: { alg } }, ALG_AND_SIGNATURE)),
        unsigned('alg none without the third part', {
          algorithm: 'none',
          compact: (right) => right.replace(/\.$/, ''),
        }),
        unsigned('an empty signature', { signature: () => Buffer.alloc(0) }),
        unsigned('no third part', { compact: (right) => right.replace(/\.[^.]*$/, '') }),
        ...[undefined, null, 0, '', ['ES256'], { alg: 'ES256' }].map((alg) =>
          unsigned(`alg is ${JSON.stringify(alg) ?? 'absent'}`, { header: { alg } }, ALG_AND_SIGNATURE),
        ),
      ]);
    },
  },
  {
    id: 'RS-HDR-6',
    title: 'refuses a proof with a symmetric algorithm, whatever public octets it is keyed with',
    across: { key: ['P-256', 'RSA'] },
    cause: SYMMETRIC,
    async run(stage) {
      const macs = stage.full ? ['HS256', 'HS384', 'HS512'] : ['HS256'];
      const keyed = await Promise.all(macs.map((algorithm) => symmetric(stage, algorithm)));
      await stage.refuses(refused('invalid_proof'), keyed.flat());
    },
  },
  {
    id: 'RS-SIG-3',
    title: 'takes no proof from a client whose RSA key has fewer than 2048 bits',
    across: { key: ['RSA'] },
    cause:
      'RSA keys of any size are taken. Refuse client certificates with RSA keys below 2048 bits, in the TLS handshake or before verifying with them (RFC 7518 §3.3).',
    async run(stage) {
      await another(stage);
      const identity = await stage.setting.issue(stage.setting.pki.trusted, {
        name: 'alice',
        keyType: 'RSA-1024',
      });
      await stage.refuses(
        refused('denied'),
        ['RS256', 'PS256'].map((algorithm) => ({
          what: `a client with a 1024-bit RSA key, alg ${algorithm}`,
          connect: { identity, ciphers: 'DEFAULT@SECLEVEL=0' },
          change: { token: { boundTo: identity }, proof: { algorithm } },
          differs: ['connection.certificate', 'proof.header.alg'],
        })),
      );
    },
  },
  {
    id: 'RS-SIG-3.pss-restricted',
    title: 'takes no PKCS#1 v1.5 signature by a key whose certificate restricts it to PSS',
    across: { key: ['RSA'] },
    cause:
      'The restriction that the algorithm identifier id-RSASSA-PSS puts on a key is ignored (RFC 4055 §1.2). Accept only PS algorithms for such keys.',
    async run(stage) {
      const identity = await stage.setting.issue(stage.setting.pki.trusted, {
        name: 'alice',
        keyType: 'RSA-PSS',
      });
      const way = { connect: { identity } };
      const base = { token: { boundTo: identity }, proof: { algorithm: 'PS256' } };
      const tried = await stage.tryConnect({ identity });
      if ('kind' in tried)
        return stage.notApplicable(
          `a client with a certificate restricted to PSS is not let in: ${tried.detail}`,
        );
      const { certificateWithheld } = tried.facts;
      if (certificateWithheld !== undefined)
        stage.notApplicable(
          `a client does not authenticate with a certificate restricted to PSS: ${certificateWithheld}`,
        );
      const first = await stage.send('alg PS256 with a certificate restricted to PSS', base, way);
      if (!first.served)
        stage.notApplicable(
          `no proof by a key restricted to PSS is taken, with PS256 neither: ${first.reading.text}`,
        );
      await stage.refuses(
        refused('invalid_proof'),
        [
          {
            what: 'alg RS256 with a certificate restricted to PSS',
            change: { proof: { algorithm: 'RS256', signWith: unrestricted(identity) } },
            differs: ALG_AND_SIGNATURE,
          },
        ],
        base,
        way,
      );
    },
  },
]);

/** The private key of a PSS-restricted identity without the restriction: the RSAPrivateKey inside its PKCS#8 (RFC 5958 §2). */
function unrestricted(identity: Identity): KeyObject {
  const pkcs8 = privateKeyOf(identity.privateKey).export({ type: 'pkcs8', format: 'der' });
  const octetString = pkcs8.indexOf(Buffer.from([0x04, 0x82]));
  return createPrivateKey({ key: pkcs8.subarray(octetString + 4), format: 'der', type: 'pkcs1' });
}
