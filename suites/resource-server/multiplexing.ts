import type { Token } from '../../harness/forge/token.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange, Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';
import { another, prime, refusesOnPrimed, serves } from './primed.ts';

/** draft -06 §3.3.1, §3.3.2, Appendix B.3: several tokens and many requests on one connection. */

const ONE_TOKEN_ONLY =
  'A connection has room for one binding, and a second token is held against that of the first. Keep a binding for each token of a connection, keyed by its ath.';
const PROOF_OF_ANOTHER =
  'A proof that is right for one token of a connection is taken for another one. Compare ath with the hash of the token of this very request.';
const MIXED_UP =
  'State of one request is kept where another one finds it: on the connection, in a global, or in a handler that is reused. Keep token, proof and outcome with their own request or stream.';
const PRINCIPAL_OF_CONNECTION =
  'The principal is remembered for the connection or for the certificate. Take it from the token of each request.';
const WEARS_OUT =
  'A proof without jti is taken for a one-time one, or a binding wears out. One proof serves all requests of its token on its connection (draft -06 §3.3.1).';
const NO_AUDIENCE =
  'Once a connection is bound, or for a second authority on it, the token’s audience is not looked at any more. Validate the whole token whatever connection and authority it comes for.';

interface Holder {
  readonly token: Token;
  readonly proof: string;
}

/** Tokens of several subjects, all of this client, each with its proof for the connection. */
async function holders(stage: Stage, connection: Connection, count: number): Promise<readonly Holder[]> {
  const tokens = await Promise.all(
    Array.from({ length: count }, (_, i) => stage.mint({ subject: `subject-${i + 1}` })),
  );
  return tokens.map((token) => ({ token, proof: stage.proof(connection, token) }));
}

/** Whose token the target took it for; needs the capability `echo`. */
function subjectIn({ outcome }: Exchange): unknown {
  if (outcome.type === 'failure') return undefined;
  try {
    const body: unknown = JSON.parse(outcome.body.toString('utf8'));
    return typeof body === 'object' && body !== null && 'sub' in body ? body.sub : undefined;
  } catch {
    return undefined;
  }
}

/** One of several requests that are under way at once. */
interface Step {
  readonly what: string;
  readonly plan: RequestPlan;
  /** `null`: must be refused. */
  readonly subject: string | null;
}

const right = ({ token, proof }: Holder): Step => ({
  what: `the token of ${token.subject} with its proof`,
  plan: { token, proof },
  subject: token.subject,
});

const wrong = (what: string, plan: RequestPlan): Step => ({ what, plan, subject: null });

/** Sends all at once and judges each on its own. */
async function judgeTogether(
  stage: Stage,
  connection: Connection,
  steps: readonly Step[],
  echo: boolean,
): Promise<void> {
  const exchanges = await Promise.all(
    steps.map(({ what, plan, subject }) =>
      stage.send(what, plan, { on: connection }, 'request', subject === null ? 'refused' : 'served'),
    ),
  );
  const unserved: string[] = [];
  let cut = 0;
  for (const [i, { what, plan, subject }] of steps.entries()) {
    const place = `request ${i + 1} of ${steps.length}, ${what}`;
    let exchange = exchanges[i];
    if (exchange === undefined) continue;
    if (subject === null) {
      stage.holds(!exchange.served, `${place}: served, must be refused`);
      continue;
    }
    // A stream that was refused unprocessed may be tried again (RFC 9113 §8.7).
    if (exchange.reading.kind === 'cut' && connection.open)
      exchange = await stage.send(`${what}, again`, plan, { on: connection }, 'request', 'served');
    if (exchange.reading.kind === 'cut') cut++;
    else if (!exchange.served)
      unserved.push(`${place}: must be served, was answered ${exchange.reading.text}`);
    else if (echo)
      stage.holds(
        subjectIn(exchange) === subject,
        `${place}: served as ${JSON.stringify(subjectIn(exchange))}, must be ${subject}`,
      );
  }
  const more = unserved.length > 1 ? ` (and ${unserved.length - 1} more)` : '';
  stage.holds(unserved.length === 0, `${unserved[0]}${more}`);
  if (cut > 0)
    stage.notApplicable(
      `the target ended the connection or streams before ${cut} of ${steps.length} requests were answered`,
    );
}

/** Streams of several tokens, some of them not to be served, and some that are given up right away. */
async function manyStreams(stage: Stage, echo: boolean): Promise<void> {
  const connection = await stage.connect();
  await stage.control('the right request', {}, { on: connection });
  const all = await holders(stage, connection, 10);
  const first = all[0] ?? { token: await stage.mint(), proof: '' };
  const strays = await holders(stage, connection, 15);
  const steps = Array.from({ length: stage.full ? 100 : 42 }, (_, i): Step => {
    // The requests without a proof come right after one of the same token with it.
    const own = all[(i % 7 === 4 ? i - 1 : i) % all.length] ?? first;
    if (i % 7 === 2)
      return wrong('a token with the proof of another one', {
        token: strays[Math.floor(i / 7)]?.token ?? first.token,
        proof: own.proof,
      });
    if (i % 7 === 4) return wrong('a token without a proof', { token: own.token, proof: null });
    if (i % 7 === 5) return wrong('a proof without a token', { token: null, proof: own.proof });
    return right(own);
  });
  const { hostname, protectedPath } = stage.setting.target;
  const abandoned = {
    method: 'GET',
    target: protectedPath,
    authority: hostname,
    fields: [
      ['authorization', `Bearer ${first.token.compact}`],
      ['session-binding-proof', first.proof],
    ] as const,
  };
  const judged = judgeTogether(stage, connection, steps, echo);
  await Promise.all([judged, connection.abandon(abandoned), connection.abandon(abandoned)]);
  if (connection.open) await stage.control('the right request after all streams', {}, { on: connection });
}

/** Requests sent one after the other without waiting for answers. */
async function pipelined(stage: Stage, echo: boolean): Promise<void> {
  const arrangements: readonly ((on: Connection) => Promise<readonly Step[]>)[] = [
    async (on) => (await holders(stage, on, 3)).map(right),
    async (on) => {
      const [a, b] = await holders(stage, on, 2);
      if (a === undefined || b === undefined) return [];
      return [
        right(a),
        wrong('another token without a proof', { token: b.token, proof: null }),
        right(a),
        wrong('the same token without a proof', { token: a.token, proof: null }),
        right(b),
      ];
    },
    async (on) => {
      const [a, b, c] = await holders(stage, on, 3);
      if (a === undefined || b === undefined || c === undefined) return [];
      return [
        right(a),
        wrong('another token with the proof of the first', { token: b.token, proof: a.proof }),
        right(c),
        right(a),
      ];
    },
  ];
  for (const arrange of arrangements) {
    const connection = await stage.connect();
    await judgeTogether(stage, connection, await arrange(connection), echo);
  }
}

export const multiplexing = suite('resource-server', 'multiplexing', [
  {
    id: 'RS-MUX-1',
    title: 'serves several tokens on one connection, each with its own proof',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: ONE_TOKEN_ONLY,
    async run(stage) {
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
              ONE_TOKEN_ONLY,
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
    cause: MIXED_UP,
    run: (stage) => manyStreams(stage, false),
  },
  {
    id: 'RS-MUX-3.identity',
    title: 'serves each of many concurrent HTTP/2 streams as the subject of its own token',
    across: { http: ['h2'] },
    capabilities: ['echo'],
    needs: ['persistent-connection'],
    cause: MIXED_UP,
    run: (stage) => manyStreams(stage, true),
  },
  {
    id: 'RS-MUX-4',
    title: 'judges each pipelined HTTP/1.1 request by its own token and proof, in order',
    across: { http: ['http/1.1'] },
    needs: ['persistent-connection'],
    cause: MIXED_UP,
    run: (stage) => pipelined(stage, false),
  },
  {
    id: 'RS-MUX-4.identity',
    title: 'answers pipelined HTTP/1.1 requests in order, each as the subject of its own token',
    across: { http: ['http/1.1'] },
    capabilities: ['echo'],
    needs: ['persistent-connection'],
    cause: MIXED_UP,
    run: (stage) => pipelined(stage, true),
  },
  {
    id: 'RS-MUX-5',
    title: 'serves a refreshed token with a new proof on the same connection, and not without one',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: ONE_TOKEN_ONLY,
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
            cause: PROOF_OF_ANOTHER,
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
      for (let i = 0; i < (stage.full ? 60 : 15) && connection.open; i++)
        await stage.control('the token of the first subject', one, { on: connection });
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
    cause: WEARS_OUT,
    async run(stage) {
      const connection = await stage.connect();
      const token = await stage.mint();
      const plan = { token, proof: stage.proof(connection, token) };
      await stage.control('the first request', plan, { on: connection });
      const [total, atOnce] = [stage.full ? 2000 : 120, stage.permutation.http === 'h2' ? 20 : 1];
      for (let sent = 1; sent < total; sent += atOnce) {
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
          { what: 'there: no proof', change: { proof: null }, expect: refused('use_session_binding') },
          {
            what: 'there: the ekm of no connection',
            change: { proof: { claims: { ekm: Buffer.alloc(32).toString('base64url') } } },
          },
        ],
        { authority },
      );
    },
  },
]);
