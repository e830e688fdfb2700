import { randomBytes } from 'node:crypto';
import { privateKeyOf } from '../../harness/forge/keys.ts';
import { HASH_SHAPES, ordinary, tokenWithHash } from '../../harness/forge/odd-values.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import { provenOf } from '../../harness/scenario/client/client-stage.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import type { Token } from '../../harness/forge/token.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { claimsOf, readableProof, shown } from './readable-proof.ts';
import { allSound, NEVER } from './upstream.ts';

/** draft -06 §2.3.2.1: the claims that every proof of the client has. */

const OTHER_HASH =
  'ath is not the hash of the token in this request. Hash the octets that stand after "Bearer ", all of them and as they stand, with SHA-256, and encode that in base64url without padding.';
const NO_HASH = 'The claim ath is missing, or no string. Every proof has it (draft -06 §2.3.2.1).';
const OTHER_TOKEN =
  'ath is the hash of another token than the one in this request. Make the proof from the token of the very request that it goes out with, and remember it under that token.';
const OTHER_TIME =
  'iat is not the time when the proof was made. Take it from the clock then, in whole seconds since 1970-01-01 UTC, and not from the token.';

/** Long enough that no client can have seen it before, and in both cases, so that none is folded unnoticed. */
const fresh = (): string => `${randomBytes(12).toString('hex')}Aa`;

/** Opaque tokens of every form that RFC 6750 §2.1 has (b64token), each a trap for a client that does more than hash. */
const FORMS: readonly (readonly [form: string, text: () => string])[] = [
  ['with every special character', () => `${fresh()}-._~+/${fresh()}==`],
  ['that looks like base64', () => randomBytes(30).toString('base64')],
  ['that looks like padded base64', () => randomBytes(28).toString('base64')],
  ['with more = than base64 has', () => `${fresh()}====`],
  ['of three parts that are no JSON', () => `${fresh()}.${fresh()}.${fresh()}`],
  ['of five parts, as a JWE has', () => `${fresh()}.${fresh()}.${fresh()}.${fresh()}.${fresh()}`],
  ['that begins and ends with a dot', () => `.${fresh()}..`],
  ['that begins with the word Bearer', () => `Bearer${fresh()}`],
  ['of digits', () => BigInt(`0x${randomBytes(12).toString('hex')}`).toString()],
];

const LARGE = 8192;

/** A request to look at: its token's form or use in words, and the token. */
type Case = readonly [what: string, token: Token];

/** Sends a token, and judges ath; where there is nothing to judge, says why. */
async function hashes(stage: ClientStage, [what, token]: Case): Promise<readonly string[]> {
  const { arrivals, ...journey } = await stage.journey(what, { token }, 'variant', 'ath is its hash');
  stage.sound(['ath'], arrivals);
  const proven = provenOf({ ...journey, arrivals });
  if (typeof proven === 'string') return [`${what}: the request ${proven}`];
  const { ath } = claimsOf(proven.proof);
  stage.holds(typeof ath === 'string', `${what}: ath is ${shown(ath)}`, NO_HASH);
  return proven.arrival.token === null ? [`${what}: the request arrived with other credentials`] : [];
}

/** Judges ath with each of these; those that show nothing leave the scenario inconclusive. */
async function hashesEach(stage: ClientStage, cases: readonly Case[]): Promise<void> {
  const unseen: string[] = [];
  for (const each of cases) unseen.push(...(await hashes(stage, each)));
  if (unseen.length > 0) stage.inconclusive(`${unseen.join('\n')}; see CL-FLD-1, CL-FLD-2 and CL-RETRY-1`);
}

export const proofClaims = clientSuite('client-proof-claims', [
  {
    id: 'CL-PL-1',
    title: 'puts ath and ekm as texts and iat as a number into its proof',
    cause:
      'A claim that every proof has is missing, or of another JSON type: ath and ekm are strings, iat is a number.',
    async run(stage) {
      await readableProof(stage);
      stage.sound(['claims']);
    },
  },
  {
    id: 'CL-PL-2',
    title: 'takes for ath the hash of the token as it stands in the request, whatever its form',
    cause: OTHER_HASH,
    async run(stage) {
      await readableProof(stage);
      const opaque = FORMS.map(([form, text]): Case => [`a token ${form}`, stage.adopt(ordinary(text))]);
      await hashesEach(stage, [['a token that is a JWT', stage.mint()], ...opaque]);
    },
  },
  {
    id: 'CL-PL-2.large',
    title: 'takes for ath the hash of the whole token, also where the token is large',
    across: { http: AXES.http },
    cause: OTHER_HASH,
    async run(stage) {
      await readableProof(stage);
      const half = Buffer.alloc(LARGE / 2 - 26, 'tsbt').toString();
      const cases: readonly Case[] = [
        ['a token of 4 KiB', stage.adopt(ordinary(() => `${fresh()}${half}`))],
        ['a token of 8 KiB', stage.adopt(ordinary(() => `${fresh()}${half}${fresh()}${half}`))],
        ['a JWT of more than 4 KiB', stage.mint({ claims: { note: half } })],
      ];
      // No size is promised (RFC 6750): a client may refuse what is too much for it.
      for (const each of cases) for (const unseen of await hashes(stage, each)) stage.observe(unseen);
    },
  },
  {
    id: 'CL-PL-2.replaced',
    title: 'takes for ath the hash of the token in this request after the token was replaced',
    across: { http: AXES.http },
    cause: OTHER_TOKEN,
    async run(stage) {
      const { token } = await readableProof(stage);
      const [old, renewed] = [token ?? stage.mint(), stage.mint()];
      await hashesEach(stage, [
        ['a request after the token was replaced', renewed],
        ['a request with the old token once more', old],
        ['a request with the new token again', renewed],
      ]);
    },
  },
  {
    id: 'CL-PL-2.parallel',
    title: 'takes for ath the hash of each user’s own token while others’ requests are under way',
    across: { http: AXES.http },
    cause: OTHER_TOKEN,
    async run(stage) {
      const { arrival } = await readableProof(stage);
      // Without a connection all of them wait for one, and go out on it together.
      await arrival.request.connection.end();
      const users = ['alice', 'bob', 'carol', 'dave'];
      for (let round = 0; round < (stage.full ? 5 : 2); round++) {
        const cases = users.map((subject): Case => [`${subject}’s request`, stage.mint({ subject })]);
        await Promise.all(cases.map((each) => hashesEach(stage, [each])));
      }
    },
  },
  {
    id: 'CL-PL-2.rare',
    title: 'encodes the hash of its token whole, whatever it begins with and wherever it has a zero octet',
    cause: OTHER_HASH,
    async run(stage) {
      const issuerKey = privateKeyOf(stage.setting.issuer.privateKey);
      const cases = Object.values(HASH_SHAPES).map((shape): Case => [
        `a token whose hash ${shape.what}`,
        stage.mint(tokenWithHash(issuerKey, shape)),
      ]);
      await hashesEach(stage, cases);
    },
  },
  {
    id: 'CL-PL-3',
    title: 'sets iat to the time when the proof was made, in seconds',
    cause: OTHER_TIME,
    async run(stage) {
      const { claims } = await readableProof(stage);
      if (typeof claims['iat'] !== 'number')
        stage.inconclusive(`iat is ${shown(claims['iat'])}; see CL-PL-1`);
      const now = Math.floor(Date.now() / 1000) - 400;
      const token = { now, claims: { nbf: now, auth_time: now } };
      await readableProof(stage, { token }, 'a token that was issued 400 seconds ago');
      allSound(stage, ['iat'], stage.arrivals(), NEVER);
    },
  },
]);
