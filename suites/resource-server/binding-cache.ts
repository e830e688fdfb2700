import { collidingTokens } from '../../harness/forge/colliding-tokens.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { ProofPlan, TokenPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { another, prime, refusesOnPrimed, serves } from './primed.ts';

/** draft -06 §3.3.2, closing paragraphs: what may be remembered of a verified binding, and what not. */

const NOT_EVERY_REQUEST =
  'Once a connection has had a proof, later requests on it are waved through. Run steps a to i for each request; only the verification of a proof that was verified before for this very token on this very connection may be left out.';
const NOT_BY_CONNECTION =
  'Verified bindings are found by the token alone. Key them by the connection object as well, so that no other connection finds them.';
const NOT_BY_TOKEN =
  'Verified bindings are found by the connection alone. Key them by the whole ath as well.';
const CACHED_TOO_EARLY =
  'A binding is stored before all steps have passed, so that a refused request opens the door for the next one. Store it last.';
const REFUSAL_REMEMBERED =
  'A refusal is stored for the pair of connection and token. Store only success: a client that is told what is wrong must be able to repair it.';
const CLAIMS_SKIPPED =
  'A cache hit skips the per-request claims. Check jti, htm and htu whenever a proof has them, or cache only proofs without them (AMB-15).';
const FIELD_OPTIONAL =
  'A cache hit is taken in place of the proof. Refuse a request for a session-bound token that has no Session-Binding-Proof field before the cache is asked (AMB-16).';
const FIRST_PROOF_PINNED =
  'The first proof of a pair is the only one that is taken afterwards. Verify a proof that is not the cached one from scratch: clients renew proofs.';
const ONE_TIME =
  'A proof without jti is taken for a one-time one, or bindings wear out. One proof serves all requests of its token on its connection (draft -06 §3.3.1).';
const EVICTION_REFUSES =
  'A binding that has left the cache is taken for one that was never there or was used up. Fall back to full verification on a miss.';
const TRUNCATED_KEY =
  'The cache key has only a part of the token’s hash. Use all 32 octets of ath, or the whole token.';

const HOUR = 3600;

/** What has the form of a proof and says nothing. */
const NO_PROOF = 'no.proof.atall';

function seconds(): number {
  return Date.now() / 1000;
}

/** Requests that must be refused, with the fields in which they differ from a right one, first and when repeated. */
interface Refusable {
  readonly what: string;
  readonly token?: TokenPlan;
  readonly proof?: () => ProofPlan;
  readonly differs: readonly string[];
}

function refusables(stage: Stage): readonly Refusable[] {
  return [
    {
      what: 'ekm of no connection',
      proof: () => ({ claims: { ekm: Buffer.alloc(32).toString('base64url') } }),
      differs: ['proof.claims.ekm'],
    },
    {
      what: 'a signature by another key',
      proof: () => ({ signWith: stage.mallory }),
      differs: ['proof.signature'],
    },
    {
      what: 'an iat of yesterday',
      proof: () => ({ claims: { iat: Math.floor(seconds()) - 24 * HOUR } }),
      differs: ['proof.claims.iat'],
    },
    {
      what: 'htm of another method',
      proof: () => ({ claims: stage.perRequest('DELETE') }),
      differs: ['proof.claims.htm'],
    },
    { what: 'an expired token', token: { lifetime: -10 * 60 }, differs: ['token.claims.exp'] },
    {
      what: 'a token for another audience',
      token: { claims: { aud: 'https://elsewhere.tsbt.test' } },
      differs: ['token.claims.aud'],
    },
  ];
}

/** The greatest age, in seconds, at which a proof is served, to within a step; `undefined` where there is none within hours. */
async function endOfWindow(
  serves: (age: number) => Promise<boolean>,
  step: number,
): Promise<number | undefined> {
  let [within, beyond] = [0, 6 * HOUR];
  if (await serves(beyond)) return undefined;
  while (beyond - within > step) {
    const middle = (within + beyond) / 2;
    if (await serves(middle)) within = middle;
    else beyond = middle;
  }
  return within;
}

export const bindingCache = suite('resource-server', 'binding-cache', [
  {
    id: 'RS-CACHE-1',
    title: 'holds every request to all steps, however many were served on the connection before',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: NOT_EVERY_REQUEST,
    async run(stage) {
      const { connection, token, proof } = await prime(stage);
      for (let sent = 2; sent < (stage.full ? 90 : 30) && connection.open; sent++) {
        const served = await serves(
          stage,
          `request ${sent + 1} with the same proof`,
          { token, proof },
          connection,
          ONE_TIME,
        );
        if (!served) return;
      }
      await refusesOnPrimed(
        stage,
        refused('invalid_proof'),
        [
          async () => ({
            what: 'another token without a proof',
            change: { token: await another(stage), proof: null },
            expect: refused('use_session_binding'),
          }),
          async (primed) => ({
            what: 'another token with the proof of the first',
            change: { token: await another(stage), proof: primed.proof },
            differs: ['proof.claims.ath'],
          }),
          () => ({
            what: 'another token with the ekm of no connection',
            change: { token: {}, proof: { claims: { ekm: Buffer.alloc(32).toString('base64url') } } },
          }),
          () => ({
            what: 'a token for another audience',
            change: { token: { claims: { aud: 'https://elsewhere.tsbt.test' } }, proof: {} },
            expect: refused('invalid_token'),
          }),
          () => ({
            what: 'an expired token',
            change: { token: { lifetime: -10 * 60 }, proof: {} },
            expect: refused('invalid_token'),
          }),
          () => ({
            what: 'a token for another certificate',
            change: { token: { boundTo: stage.mallory }, proof: {} },
            expect: refused('invalid_token', 'invalid_proof'),
          }),
        ],
        connection.open ? { connection } : {},
      );
    },
  },
  {
    id: 'RS-CACHE-2',
    title: 'verifies a token anew on each connection, whatever was verified for it on another one',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: NOT_BY_CONNECTION,
    async run(stage) {
      const { connection, token, proof, control } = await prime(stage);
      const busy = (await prime(stage, { token: await another(stage) })).connection;
      const refuse = stage.refusesOne.bind(stage, refused('invalid_proof'));
      const base = { token, proof };
      const elsewhere = {
        what: 'the proof of the first connection, on a second one of the same client',
        differs: ['proof.claims.ekm'],
      };
      await refuse({ ...elsewhere, on: await stage.connect() }, control, base);
      await refuse(
        { ...elsewhere, what: 'the same on one that has verified another token', on: busy },
        control,
        base,
      );
      await refuse(
        {
          what: 'no proof on a further connection',
          on: await stage.connect(),
          change: { proof: null },
          expect: refused('use_session_binding'),
        },
        control,
        base,
      );
      await refuse(
        {
          what: 'the proof of the first connection, on one with another client certificate',
          connect: { identity: stage.mallory },
          differs: [
            'connection.certificate',
            'token.claims.cnf.x5t#S256',
            'proof.header.x5t#S256',
            'proof.signature',
            'proof.claims.ekm',
          ],
          expect: refused('invalid_token', 'invalid_proof'),
        },
        control,
        base,
      );
      await stage.control(
        'the token on another connection with a proof of that',
        { token },
        { on: await stage.connect() },
      );
      await stage.control('the token on its first connection', base, { on: connection });
    },
  },
  {
    id: 'RS-CACHE-3',
    title: 'verifies each token of a connection anew, whatever was verified for another one',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: NOT_BY_TOKEN,
    async run(stage) {
      await refusesOnPrimed(stage, refused('invalid_proof'), [
        async () => ({
          what: 'another token without a proof',
          change: { token: await another(stage), proof: null },
          expect: refused('use_session_binding'),
        }),
        async ({ proof }) => ({
          what: 'another token with the proof of the first',
          change: { token: await another(stage), proof },
          differs: ['proof.claims.ath'],
        }),
        async () => ({
          what: 'another token with something that is no proof',
          change: { token: await another(stage), proof: NO_PROOF },
        }),
        async () => ({
          what: 'another token with a proof by another key',
          change: { token: await another(stage), proof: { signWith: stage.mallory } },
        }),
      ]);
    },
  },
  {
    id: 'RS-CACHE-6',
    title: 'remembers nothing of a request that it refused: the same one is refused again',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: CACHED_TOO_EARLY,
    async run(stage) {
      let repeated = 0;
      for (const { what, token: tokenPlan, proof: proofPlan, differs } of refusables(stage)) {
        const connection = await stage.connect();
        const way = { on: connection };
        const bound = differs.includes('proof.claims.htm');
        const control = await stage.control(
          'the right request',
          bound ? { proof: { claims: stage.perRequest() } } : {},
          way,
        );
        const token = await stage.mint({ subject: 'alice', ...tokenPlan });
        const proof = stage.proof(connection, token, proofPlan?.());
        const first = { what, change: { token, proof }, differs };
        await stage.refusesOne(refused('401'), first, control, {}, way);
        if (!connection.open) continue;
        repeated++;
        await stage.refusesOne(
          refused('401'),
          {
            ...first,
            what: `${what}, for the second time`,
            differs: bound ? [...differs, 'proof.claims.jti'] : differs,
          },
          control,
          {},
          way,
        );
        if (tokenPlan !== undefined || !connection.open || bound) continue;
        await stage.refusesOne(
          refused('use_session_binding'),
          { what: `no proof, after ${what}`, change: { token, proof: null } },
          control,
          {},
          way,
        );
      }
      if (repeated === 0)
        stage.notApplicable('the target ends a connection with each refusal, so nothing can be left on it');
    },
  },
  {
    id: 'RS-CACHE-7',
    title: 'serves a token with a right proof after it was refused with a wrong one on the same connection',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: REFUSAL_REMEMBERED,
    async run(stage) {
      const wrong: readonly Pick<Refusable, 'what' | 'proof'>[] = [
        ...refusables(stage).filter(({ token }) => token === undefined),
        { what: 'no proof' },
      ];
      let judged = 0;
      for (const { what, proof } of wrong) {
        const connection = await stage.connect();
        const token = await another(stage);
        await stage.send(what, { token, proof: proof?.() ?? null }, { on: connection });
        if (!connection.open) continue;
        judged++;
        await stage.accepts(`the right proof after ${what}`, { token }, { on: connection });
      }
      if (judged === 0) stage.notApplicable('the target ends a connection with each refusal');
    },
  },
  {
    id: 'RS-CACHE-8',
    title: 'checks per-request claims on a verified pair of connection and token too',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: CLAIMS_SKIPPED,
    async run(stage) {
      const path = stage.setting.target.protectedPath;
      const claims = (right: ReturnType<Stage['perRequest']>) => ({ proof: { claims: right } });
      await refusesOnPrimed(
        stage,
        refused('invalid_proof'),
        [
          () => ({
            what: 'htm is another method',
            change: claims(stage.perRequest('DELETE')),
            differs: ['proof.claims.htm'],
          }),
          () => ({
            what: 'htu is another path',
            change: claims(stage.perRequest('GET', `${path}/elsewhere`)),
            differs: ['proof.claims.htu'],
          }),
          ({ control }) => ({
            what: 'jti was used before',
            change: { proof: control.proofs },
            differs: ['proof.claims.jti'],
          }),
          () => ({
            what: 'a proof for GET on a POST request',
            change: { method: 'POST', ...claims(stage.perRequest('GET')) },
            differs: ['request.method'],
          }),
        ],
        { then: () => claims(stage.perRequest()) },
      );
      const [connection, token] = [await stage.connect(), await another(stage)];
      const plan = { token, proof: stage.proof(connection, token, { claims: stage.perRequest() }) };
      const control = await stage.control('a token whose first proof has jti, htm and htu', plan, {
        on: connection,
      });
      await stage.refusesOne(
        refused('invalid_proof'),
        { what: 'that proof again', differs: ['proof.claims.jti'] },
        control,
        plan,
        { on: connection },
      );
    },
  },
  {
    id: 'RS-CACHE-9',
    title: 'demands the proof field on every request, also where the binding is verified already',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: FIELD_OPTIONAL,
    async run(stage) {
      await refusesOnPrimed(stage, refused('use_session_binding'), [
        () => ({ what: 'the verified token without a proof', change: { proof: null } }),
        () => ({
          what: 'the verified token without a proof, with another method',
          change: { method: 'POST', proof: null },
        }),
        () => ({
          what: 'the verified token with an empty proof field',
          change: { proof: '' },
          expect: refused('use_session_binding', 'invalid_proof'),
        }),
      ]);
    },
  },
  {
    id: 'RS-CACHE-10',
    title: 'looks at the proof of a verified pair too and refuses a wrong one',
    needs: ['persistent-connection'],
    async run(stage) {
      const other = await stage.connect();
      const wrong: readonly { readonly what: string; readonly proof: string | ProofPlan }[] = [
        { what: 'something that is no proof', proof: NO_PROOF },
        ...refusables(stage).flatMap(({ what, token, proof, differs }) =>
          token === undefined && proof !== undefined && !differs.includes('proof.claims.htm')
            ? [{ what: `a proof with ${what}`, proof: proof() }]
            : [],
        ),
        { what: 'the proof of another connection', proof: { forConnection: other } },
      ];
      const taken: string[] = [];
      let pair = await prime(stage);
      for (const { what, proof } of wrong) {
        if (!pair.connection.open) pair = await prime(stage);
        const { served } = await stage.send(
          `${what}, on a verified pair`,
          { token: pair.token, proof },
          { on: pair.connection },
        );
        if (served) taken.push(what);
      }
      if (taken.length > 0)
        stage.observe(
          `for a pair of connection and token that it has verified, the target serves ${taken.join(', ')} (AMB-17)`,
        );
    },
  },
  {
    id: 'RS-CACHE-11',
    title: 'serves a token with a fresh proof when the one that it has verified has left the window of iat',
    needs: ['persistent-connection'],
    cause: FIRST_PROOF_PINNED,
    async run(stage) {
      const connection = await stage.connect();
      const way = { on: connection };
      const serves = async (iat: number): Promise<boolean> =>
        (
          await stage.send('another token with a proof of some age', {
            token: await another(stage),
            proof: { claims: { iat } },
          })
        ).served;
      // Fractions of a second (RFC 7519 §2) tell the end of the window closely, and spare the wait for the next second.
      const fine = await serves(seconds() - 0.5);
      const before = (age: number): number => (fine ? seconds() - age : Math.floor(seconds() - age));
      const within = await endOfWindow((age) => serves(before(age)), fine ? 0.02 : 1);
      if (within === undefined)
        return stage.notApplicable('the target has no window of iat that ends within hours; see RS-PL-3');
      const token = await another(stage);
      const pair = async (
        iat: number,
      ): Promise<{ readonly iat: number; readonly proof: string } | undefined> => {
        const proof = stage.proof(connection, token, { claims: { iat } });
        return (await stage.send('a token with a proof at the end of its window', { token, proof }, way))
          .served
          ? { iat, proof }
          : undefined;
      };
      let verified = await pair(before(within - 0.05));
      for (const margin of [0.2, 0.6, 1]) verified ??= await pair(before(within - margin));
      if (verified === undefined)
        return stage.inconclusive('the window of iat ended between a search and its use');
      const patience = performance.now() + 2500;
      while (await serves(verified.iat)) {
        if (performance.now() > patience)
          stage.inconclusive('the window of iat did not end when it should have', 'target');
      }
      const { proof } = verified;
      const late = await stage.send('the verified proof after its window', { token, proof }, way);
      stage.note(
        `a verified proof is ${late.served ? 'served' : 'refused'} after its window has ended (AMB-14: both are conformant)`,
      );
      await stage.accepts('a fresh proof for the same token on the same connection', { token }, way);
    },
  },
  {
    id: 'RS-CACHE-11.renewal',
    title: 'serves a verified pair of connection and token with a newer proof',
    needs: ['persistent-connection'],
    cause: FIRST_PROOF_PINNED,
    async run(stage) {
      const connection = await stage.connect();
      const token = await stage.mint();
      const at = (offset: number): string =>
        stage.proof(connection, token, { claims: { iat: Math.floor(seconds()) + offset } });
      const older = at(-10);
      await stage.control('a token with its proof', { token, proof: older }, { on: connection });
      await stage.accepts(
        'the token with a proof made ten seconds later',
        { token, proof: at(0) },
        { on: connection },
      );
      await stage.accepts(
        'the token with its first proof again',
        { token, proof: older },
        { on: connection },
      );
    },
  },
  {
    id: 'RS-CACHE-12',
    title: 'serves a token with its first proof after any number of other tokens on the connection',
    needs: ['persistent-connection'],
    cause: EVICTION_REFUSES,
    async run(stage) {
      const { connection, token, proof } = await prime(stage);
      const batches = stage.full ? 24 : 2;
      let others = 0;
      for (let batch = 0; batch < batches && connection.open; batch++) {
        for (let i = 0; i < 50 && connection.open; i++, others++) {
          const { reading } = await stage.send(
            'another token with its proof',
            { token: await another(stage) },
            { on: connection },
          );
          if (reading.kind === 'refused')
            return stage.holds(
              false,
              `token ${others + 2} of the connection was refused with a right proof: ${reading.text}`,
              'The number of bindings of a connection is limited, and beyond it tokens are refused. Forget the oldest binding instead, or verify without storing.',
            );
        }
        if (!connection.open) break;
        const { served } = await stage.accepts(
          `the first token with its proof after ${others} others`,
          { token, proof },
          { on: connection },
        );
        if (!served) return;
      }
      if (others < 50) stage.notApplicable(`the target ended the connection after ${others} further tokens`);
    },
  },
  {
    id: 'RS-CACHE-13',
    title: 'tells tokens apart whose hashes begin alike',
    needs: ['persistent-connection'],
    cause: TRUNCATED_KEY,
    async run(stage) {
      await another(stage);
      const octets = stage.full ? 3 : 2;
      const [token, alike] = collidingTokens(stage.setting.issuer, { boundTo: stage.alice }, octets);
      const what = `a token whose SHA-256 shares its first ${octets} octets with that of the verified one`;
      await refusesOnPrimed(
        stage,
        refused('invalid_proof'),
        [
          ({ proof }) => ({
            what: `${what}, with the proof of that one`,
            change: { token: alike, proof },
            differs: ['proof.claims.ath'],
          }),
          () => ({
            what: `${what}, with something that is no proof`,
            change: { token: alike, proof: NO_PROOF },
          }),
          () => ({
            what: `${what}, without a proof`,
            change: { token: alike, proof: null },
            expect: refused('use_session_binding'),
          }),
        ],
        { token },
      );
      await stage.control('that token with its own proof', { token: alike });
    },
  },
]);
