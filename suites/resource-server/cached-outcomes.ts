import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { ProofPlan, TokenPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { another, NO_PROOF, prime, refusesOnPrimed } from './primed.ts';

/** draft -06 §3.3.2, closing paragraphs: what may be concluded from a request that was served or refused before. */

const CACHED_TOO_EARLY =
  'A binding is stored before all steps have passed, so that a refused request opens the door for the next one. Store it last.';
const REFUSAL_REMEMBERED =
  'A refusal is stored for the pair of connection and token. Store only success: a client that is told what is wrong must be able to repair it.';
const CLAIMS_SKIPPED =
  'On a verified pair of connection and token the per-request claims are not checked in full; where RS-PL-10 or RS-PL-11 fails too, not even on the first request. Check jti, htm and htu whenever a proof has them, or cache only proofs without them (AMB-15).';

const HOUR = 3600;

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

export const cachedOutcomes = suite('resource-server', 'cached-outcomes', [
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
        const once = await stage.refusesOne(refused('401'), { ...first, cause: null }, control, {}, way);
        if (!connection.open) continue;
        // What is served from the start was not remembered wrongly.
        const cause = 'served' in once && once.served ? null : CACHED_TOO_EARLY;
        repeated++;
        await stage.refusesOne(
          refused('401'),
          {
            ...first,
            cause,
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
          { what: `no proof, after ${what}`, change: { token, proof: null }, cause },
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
    cause: { rejected: REFUSAL_REMEMBERED },
    async run(stage) {
      const wrong: readonly Pick<Refusable, 'what' | 'proof'>[] = [
        ...refusables(stage).filter(({ token }) => token === undefined),
        { what: 'no proof' },
      ];
      let judged = 0;
      let forgiven = 0;
      for (const { what, proof } of wrong) {
        const connection = await stage.connect();
        const token = await another(stage);
        const { served } = await stage.send(what, { token, proof: proof?.() ?? null }, { on: connection });
        if (served) forgiven++;
        if (served || !connection.open) continue;
        judged++;
        await stage.accepts(`the right proof after ${what}`, { token }, { on: connection });
      }
      if (judged > 0) return;
      if (forgiven === wrong.length)
        stage.inconclusive(
          'no invalid proof was rejected, so nothing can be remembered: see RS-PL-2',
          'target',
        );
      stage.notApplicable('the target ends a connection with each refusal');
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
        { further: () => claims(stage.perRequest()) },
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
]);
