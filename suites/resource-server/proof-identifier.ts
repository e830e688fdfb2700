import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { ProofPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { tied } from './per-request-claims.ts';

/** draft -06 §2.3.2.2, §3.3.2 step 5i: jti makes a proof good for one request. */

const NOT_REMEMBERED =
  'The jti of an accepted proof is not remembered, or not under the access token. Keep the jti values of each token until it expires, whatever connection and proof they came with.';
const OF_ONE_CONNECTION =
  'The jti is remembered for its connection only. Keep the jti values of each token for all connections alike.';
const NOT_ATOMIC =
  'Looking a jti up and recording it are two steps, between which another request is served. Make them one atomic step.';
const BURNT =
  'The jti is recorded before signature and ekm have been verified, so that anybody can use it up. Record it as the last step of all.';

/** Requests that race with the same jti, in one round. */
const RACERS = 6;

export const proofIdentifier = suite('resource-server', 'proof-identifier', [
  {
    id: 'RS-PL-7',
    title: 'accepts a jti once for an access token',
    across: { http: AXES.http },
    cause: NOT_REMEMBERED,
    async run(stage) {
      const token = await stage.mint();
      const claims = stage.perRequest();
      const base = { token, proof: { claims } };
      const first = await stage.control('a proof with a fresh jti', base);
      await stage.accepts(
        'another proof for the token, with its own jti',
        { token, ...tied(stage) },
        {},
        'The token, or that it had a proof with jti, is remembered instead of the jti. A proof with another jti is another proof.',
      );
      const expected = refused('invalid_proof');
      const differs = ['proof.claims.jti'];
      if (first.connection.open) {
        const on = first.connection;
        const change = { proof: first.proofs };
        await stage.refusesOne(expected, { what: 'the same proof again', on, change, differs }, first, base);
      }
      await stage.refusesOne(
        expected,
        { what: 'a new proof, signed anew, with the jti of the first', differs },
        first,
        base,
      );
      await stage.refusesOne(
        expected,
        {
          what: 'the jti of the first on another connection',
          on: await stage.connect(),
          differs,
          cause: OF_ONE_CONNECTION,
        },
        first,
        base,
      );
      await stage.control('a fresh jti again', { token, ...tied(stage) });
    },
  },
  {
    id: 'RS-PL-7.alone',
    title: 'accepts a jti once where the proof has neither htm nor htu',
    async run(stage) {
      const base = { token: await stage.mint(), proof: { claims: { jti: stage.perRequest().jti } } };
      const first = await stage.send('a proof with a fresh jti', base);
      if (!first.served) return stage.observe('a proof with jti but without htm and htu is refused (AMB-28)');
      const again = {
        what: 'a new proof with the same jti',
        differs: ['proof.claims.jti'],
        cause:
          'jti is looked at only where the proof has htm and htu too. Each of the three is checked wherever it is present.',
      };
      await stage.refusesOne(refused('invalid_proof'), again, first, base);
      await stage.control();
    },
  },
  {
    id: 'RS-PL-7.cached',
    title: 'accepts a jti once where the binding has been verified before',
    needs: ['persistent-connection'],
    cause:
      'Once a binding is in the cache, the claims of later proofs are not looked at. The cache stands for the connection and the token only: check jti, htm and htu each time (draft -06 §3.3.2 step 5i).',
    async run(stage) {
      const on = await stage.connect();
      const token = await stage.mint();
      await stage.control('a proof without per-request claims', { token }, { on });
      const base = { token, proof: { claims: stage.perRequest() } };
      const first = await stage.control('a proof with a fresh jti', base, { on });
      const again = { what: 'a new proof with the same jti', on, differs: ['proof.claims.jti'] };
      await stage.refusesOne(refused('invalid_proof'), again, first, base);
      await stage.control('a fresh jti again', { token, ...tied(stage) }, { on });
    },
  },
  {
    id: 'RS-PL-7.parallel',
    title: 'accepts a jti once where requests with it arrive at the same time',
    across: { http: AXES.http },
    cause: NOT_ATOMIC,
    async run(stage) {
      await stage.control('a proof with a fresh jti', tied(stage));
      // Streams of one connection on HTTP/2, one request on each of several connections on HTTP/1.1.
      let connections = await Promise.all(
        Array.from({ length: stage.permutation.http === 'h2' ? 2 : RACERS }, () => stage.connect()),
      );
      for (let round = 0; round < (stage.full ? 4 : 2); round++) {
        connections = await Promise.all(connections.map(async (one) => (one.open ? one : stage.connect())));
        const token = await stage.mint();
        const claims = stage.perRequest();
        const racers = connections.flatMap((on) =>
          Array.from({ length: RACERS / connections.length }, () =>
            stage.send(
              'one of several proofs with the same jti, sent at once',
              { token, proof: { claims } },
              { on },
              'variant',
              'served at most once',
            ),
          ),
        );
        const served = (await Promise.all(racers)).filter((exchange) => exchange.served).length;
        if (served > 1)
          stage.wronglyServed(
            `${served} of ${RACERS} requests that arrived at once with the same jti were served`,
            ['proof.claims.jti'],
          );
        if (served === 0) stage.note('none of the requests that arrived at once was served');
      }
    },
  },
  {
    id: 'RS-PL-8',
    title: 'does not use up a jti for a proof that it refuses',
    cause: { rejected: BURNT },
    async run(stage) {
      const elsewhere = await stage.connect();
      await stage.control('a proof with a fresh jti', tied(stage));
      const spoilt: readonly { readonly what: string; readonly proof: ProofPlan }[] = [
        {
          what: 'a broken signature',
          proof: { signature: (right) => right.map((octet) => octet ^ 1) as Buffer },
        },
        { what: 'a signature by another key', proof: { signWith: stage.mallory } },
        { what: 'the exporter value of another connection', proof: { forConnection: elsewhere } },
      ];
      for (const { what, proof } of spoilt) {
        const token = await stage.mint();
        const claims = stage.perRequest();
        const first = await stage.send(`a proof with ${what}`, { token, proof: { ...proof, claims } });
        if (first.served)
          stage.inconclusive(`a proof with ${what} was served, so its jti was rightly used up`, 'target');
        const on = await stage.connect();
        await stage.accepts(
          `the right proof with the jti of one that had ${what}`,
          { token, proof: { claims } },
          { on },
        );
      }
    },
  },
  {
    id: 'RS-PL-9',
    title: 'takes any string for a jti, for each access token anew',
    async run(stage) {
      const claims = stage.perRequest();
      await stage.control('a proof with a fresh jti', { proof: { claims } });
      const elsewhere = await stage.send('the same jti with another token', { proof: { claims } });
      if (!elsewhere.served)
        stage.observe(
          `a jti is good for one token only: with another one it was answered ${elsewhere.reading.text} (AMB-29)`,
        );
      const empty = await stage.send('an empty jti', { proof: { claims: { ...claims, jti: '' } } });
      if (empty.served) stage.observe('an empty jti is accepted');
      const long = await stage.send('a jti of 8 KiB', {
        proof: { claims: { ...claims, jti: 'j'.repeat(8192) } },
      });
      const answered = long.served || long.reading.kind === 'refused';
      stage.holds(answered, `a jti of 8 KiB is neither accepted nor refused: ${long.reading.text}`);
      await stage.control('a short jti again', tied(stage));
    },
  },
  {
    id: 'RS-PL-9.type',
    title: 'refuses a jti that is not a string',
    cause:
      'The type of jti is not checked. It is a case-sensitive string (RFC 7519 §4.1.7): refuse anything else.',
    async run(stage) {
      const values = { 'a number': 4711, 'an array': ['x'], 'an object': { id: 'x' }, true: true };
      await stage.refuses(
        refused('invalid_proof'),
        Object.entries(values).map(([what, jti]) => ({
          what: `jti is ${what}`,
          change: { proof: { claims: { jti } } },
        })),
      );
    },
  },
]);
