import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Connection } from '../../harness/wire/connection.ts';
import { holders, manyStreams, outlivesReset, outlivesToken, pipelined, subjectIn } from './concurrency.ts';
import type { Holder } from './concurrency.ts';
import { outlasts } from './outlasting.ts';
import { another, prime, refusesOnPrimed, serves, timeFor, works } from './primed.ts';

/** draft -06 §3.3.1, §3.3.2, Appendix B.3: several tokens and many requests on one connection. */

const ONE_TOKEN_ONLY =
  'A connection has room for one binding, and a second token is held against that of the first. Keep a binding for each token of a connection, keyed by its ath.';
const ENDS_AT_SECOND =
  'The connection is ended when a second token comes on it, so that clients need a connection and a signature for each token, and a refreshed token loses every request under way. Verify the second token and its proof as the first, and keep a binding for each (draft -06 §3.3.2).';
const PROOF_OF_ANOTHER =
  'A proof that is right for one token of a connection is taken for another one. Compare ath with the hash of the token of this very request.';
const CONNECTION_SUFFICES =
  'Once a connection is bound, a further token on it needs no proof. Demand one for each token, whatever was verified on the connection before.';
const OTHER_AUTHORITY =
  'For a second authority on the connection the proof is not looked at. Apply the same rules to every authority that is served.';
const MIXED_UP =
  'State of one request is kept where another one finds it: on the connection, in a global, or in a handler that is reused. Keep token, proof and outcome with their own request or stream.';
const PRINCIPAL_OF_CONNECTION =
  'The principal is remembered for the connection or for the certificate. Take it from the token of each request.';
const WEARS_OUT =
  'A proof without jti is taken for a one-time one, or a binding wears out. One proof serves all requests of its token on its connection (draft -06 §3.3.1).';
const RESET_ENDS =
  'The request of a stream that is reset already is answered all the same, and the error of that ends the connection or fails its other streams. A reset ends its own stream only: drop its request (RFC 9113 §6.4, §5.4.2).';
const NO_AUDIENCE =
  'Once a connection is bound, or for a second authority on it, the token’s audience is not looked at any more. Validate the whole token whatever connection and authority it comes for.';

export const multiplexing = suite('resource-server', 'multiplexing', [
  {
    id: 'RS-MUX-1',
    title: 'serves several tokens on one connection, each with its own proof',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    judgesSequence: true,
    async run(stage) {
      await outlasts(stage, {
        what: 'a second token',
        cause: ENDS_AT_SECOND,
        connect: () => stage.connect(),
        play: (connection, provokes) => outlivesToken(stage, connection, provokes),
      });
      const connection = await stage.connect();
      const all = await holders(stage, connection, stage.full ? 50 : 20);
      for (const round of ['first', 'second']) {
        for (const [i, plan] of all.entries()) {
          if (!connection.open && (round === 'second' || i >= 10))
            return stage.note('the target ended the connection before all were sent');
          if (
            !(await serves(
              stage,
              `token ${i + 1} of ${all.length} with its proof, for the ${round} time`,
              plan,
              connection,
              i === 0 && round === 'first' ? null : ONE_TOKEN_ONLY,
            ))
          )
            return;
        }
      }
    },
  },
  {
    id: 'RS-MUX-2',
    title: 'refuses a token with the proof of another token of the same connection',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: PROOF_OF_ANOTHER,
    async run(stage) {
      const early = await another(stage);
      await stage.refuses(refused('invalid_proof'), [
        {
          what: 'before either is verified: the proof of another token',
          change: { token: await another(stage), proof: { forToken: early } },
        },
      ]);
      await refusesOnPrimed(stage, refused('invalid_proof'), [
        async ({ proof }) => ({
          what: 'another token with the proof of the verified one',
          change: { token: await another(stage), proof },
          differs: ['proof.claims.ath'],
        }),
        async ({ connection }) => {
          const second = await prime(stage, { connection, token: await another(stage) });
          return {
            what: 'a third token with the proof of the second',
            change: { token: await another(stage), proof: second.proof },
            differs: ['proof.claims.ath'],
          };
        },
      ]);
    },
  },
  {
    id: 'RS-MUX-3',
    title: 'judges each HTTP/2 stream by its own token and proof, however many are open at once',
    across: { http: ['h2'] },
    needs: ['persistent-connection'],
    judgesSequence: true,
    cause: MIXED_UP,
    run: (stage) => manyStreams(stage, false),
  },
  {
    id: 'RS-MUX-3.identity',
    title: 'serves each of many concurrent HTTP/2 streams as the subject of its own token',
    across: { http: ['h2'] },
    capabilities: ['echo'],
    needs: ['persistent-connection'],
    judgesSequence: true,
    cause: MIXED_UP,
    run: (stage) => manyStreams(stage, true),
  },
  {
    id: 'RS-MUX-3.reset',
    title: 'serves further streams after one that was opened and reset in the same octets',
    across: { http: ['h2'] },
    needs: ['persistent-connection'],
    cause: { rejected: RESET_ENDS, 'server-error': RESET_ENDS, ended: RESET_ENDS, statement: RESET_ENDS },
    run: (stage) =>
      outlasts(stage, {
        what: 'HEADERS and RST_STREAM in the same octets',
        cause: RESET_ENDS,
        connect: () => stage.connect({ gathersWrites: true }),
        play: (connection, provokes) => outlivesReset(stage, connection, provokes),
      }),
  },
  {
    id: 'RS-MUX-4',
    title: 'judges each pipelined request by its own token and proof, in order',
    across: { http: ['http/1.1'] },
    needs: ['persistent-connection'],
    judgesSequence: true,
    cause: MIXED_UP,
    run: (stage) => pipelined(stage, false),
  },
  {
    id: 'RS-MUX-4.identity',
    title: 'answers pipelined requests in order, each as the subject of its own token',
    across: { http: ['http/1.1'] },
    capabilities: ['echo'],
    needs: ['persistent-connection'],
    judgesSequence: true,
    cause: MIXED_UP,
    run: (stage) => pipelined(stage, true),
  },
  {
    id: 'RS-MUX-5',
    title: 'serves a refreshed token with a new proof on the same connection, and not without one',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    judgesSequence: true,
    cause: { rejected: ONE_TOKEN_ONLY },
    async run(stage) {
      const { connection, token, proof } = await prime(stage);
      await stage.accepts(
        'the refreshed token with a new proof',
        { token: await another(stage) },
        { on: connection },
      );
      await stage.accepts('the earlier token with its proof again', { token, proof }, { on: connection });
      await refusesOnPrimed(
        stage,
        refused('invalid_proof'),
        [
          async (primed) => ({
            what: 'a refreshed token with the proof of the earlier one',
            change: { token: await another(stage), proof: primed.proof },
            differs: ['proof.claims.ath'],
            cause: PROOF_OF_ANOTHER,
          }),
          async () => ({
            what: 'a refreshed token without a proof',
            change: { token: await another(stage), proof: null },
            expect: refused('use_session_binding'),
            cause: CONNECTION_SUFFICES,
          }),
        ],
        connection.open ? { connection } : {},
      );
    },
  },
  {
    id: 'RS-MUX-6',
    title:
      'serves each request as the subject of its own token, whoever used the connection or certificate before',
    across: { http: AXES.http },
    capabilities: ['echo'],
    needs: ['persistent-connection'],
    judgesSequence: true,
    cause: PRINCIPAL_OF_CONNECTION,
    async run(stage) {
      const connection = await stage.connect();
      const elsewhere = await stage.connect();
      const [one, two] = await holders(stage, connection, 2);
      const [, there] = await holders(stage, elsewhere, 2);
      if (one === undefined || two === undefined || there === undefined) return;
      const accept = async (who: Holder, on: Connection): Promise<void> => {
        const exchange = await stage.accepts(`the token of ${who.token.subject} on ${on.id}`, who, { on });
        const found = subjectIn(exchange);
        if (exchange.served)
          stage.holds(
            found === who.token.subject,
            `the token of ${who.token.subject} was served as ${JSON.stringify(found)}`,
          );
      };
      for (let i = 0; i < (stage.full ? 60 : 15); i++)
        await works(stage, 'the token of the first subject', one, connection);
      await accept(two, connection);
      await accept(one, connection);
      await accept(two, connection);
      await accept(there, elsewhere);
    },
  },
  {
    id: 'RS-MUX-7',
    title: 'serves any number of requests on one connection with one proof',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    judgesSequence: true,
    cause: WEARS_OUT,
    async run(stage) {
      const connection = await stage.connect();
      const token = await stage.mint();
      const plan = { token, proof: stage.proof(connection, token) };
      await stage.control('the first request', plan, { on: connection });
      const [total, atOnce] = [stage.full ? 2000 : 120, stage.permutation.http === 'h2' ? 20 : 1];
      const more = timeFor(5000);
      for (let sent = 1; sent < total; sent += atOnce) {
        if (sent >= 100 && !more()) return stage.note(`cut short after ${sent} requests`);
        // Servers often end a connection after so many requests, which is no matter of proofs.
        if (!connection.open && sent >= 50)
          return stage.note(`the target ended the connection after ${sent} requests`);
        const served = await Promise.all(
          Array.from({ length: atOnce }, (_, i) =>
            serves(stage, `request ${sent + 1 + i} with the same proof`, plan, connection, WEARS_OUT),
          ),
        );
        if (served.includes(false)) return;
      }
    },
  },
  {
    id: 'RS-MUX-8',
    title: 'applies the same rules, audience included, to each authority that it serves on one connection',
    across: { http: ['h2'] },
    needs: ['persistent-connection'],
    cause: NO_AUDIENCE,
    async run(stage) {
      const authority = `rs.tsbt.test:${stage.setting.target.port}`;
      const foreign = { claims: { aud: `https://${authority}` } };
      await refusesOnPrimed(stage, refused('invalid_token'), [
        () => ({
          what: 'a token whose audience is another authority, with a right proof',
          change: { token: foreign, proof: {} },
        }),
      ]);
      const there = await stage.send('the right request for another authority', { authority });
      if (!there.served)
        return stage.note(`the target does not serve the authority ${authority}: ${there.reading.text}`);
      await stage.refuses(
        refused('invalid_proof'),
        [
          {
            what: 'there: a token whose audience is that authority',
            change: { token: foreign },
            expect: refused('invalid_token'),
          },
          {
            what: 'there: no proof',
            change: { proof: null },
            expect: refused('use_session_binding'),
            cause: OTHER_AUTHORITY,
          },
          {
            what: 'there: the ekm of no connection',
            change: { proof: { claims: { ekm: Buffer.alloc(32).toString('base64url') } } },
            cause: OTHER_AUTHORITY,
          },
        ],
        { authority },
      );
    },
  },
]);
