import type { Token } from '../../harness/forge/token.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection, WireRequest } from '../../harness/wire/connection.ts';
import { unthrottled } from './primed.ts';

/** Requests of several tokens that are under way on one connection at the same time. */

export interface Holder {
  readonly token: Token;
  readonly proof: string;
}

/** Tokens of several subjects, all of this client, each with its proof for the connection. */
export async function holders(
  stage: Stage,
  connection: Connection,
  count: number,
): Promise<readonly Holder[]> {
  const tokens = await Promise.all(
    Array.from({ length: count }, (_, i) => stage.mint({ subject: `subject-${i + 1}` })),
  );
  return tokens.map((token) => ({ token, proof: stage.proof(connection, token) }));
}

/** Whose token the target took it for; needs the capability `echo`. */
export function subjectIn({ outcome }: Exchange): unknown {
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
  /** In what it differs from a valid request. */
  readonly differs?: readonly string[];
}

const right = ({ token, proof }: Holder): Step => ({
  what: `the token of ${token.subject} with its proof`,
  plan: { token, proof },
  subject: token.subject,
});

const wrong = (what: string, plan: RequestPlan, differs: readonly string[]): Step => ({
  what,
  plan,
  subject: null,
  differs,
});

/** Sends all at once and judges each on its own. */
async function judgeTogether(
  stage: Stage,
  connection: Connection,
  steps: readonly Step[],
  echo: boolean,
): Promise<void> {
  const exchanges = await Promise.all(
    steps.map(({ what, plan, subject }) =>
      subject === null
        ? stage.send(what, plan, { on: connection }, 'request', 'refused')
        : stage.sendCurrent(what, plan, { on: connection }),
    ),
  );
  const unserved: string[] = [];
  const unanswered: string[] = [];
  let cut = 0;
  for (const [i, { what, plan, subject, differs = [] }] of steps.entries()) {
    const place = `request ${i + 1} of ${steps.length}, ${what}`;
    let exchange = exchanges[i];
    if (exchange === undefined) continue;
    if (subject === null) {
      if (exchange.served) stage.wronglyServed(`${place}: served, must be refused`, differs);
      continue;
    }
    // A stream that was refused unprocessed may be tried again (RFC 9113 §8.7).
    if (exchange.reading.kind === 'cut' && connection.open)
      exchange = await stage.send(`${what}, again`, plan, { on: connection }, 'request', 'served');
    unthrottled(stage, place, exchange);
    if (exchange.reading.kind === 'cut') cut++;
    else if (exchange.reading.kind === 'no-answer') unanswered.push(`${place}: ${exchange.reading.text}`);
    else if (!exchange.served) {
      if (unserved.length === 0) await stage.standing(place, exchange, plan);
      unserved.push(`${place}: must be served, was answered ${exchange.reading.text}`);
    } else if (echo)
      stage.holds(
        subjectIn(exchange) === subject,
        `${place}: served as ${JSON.stringify(subjectIn(exchange))}, must be ${subject}`,
      );
  }
  const more = unserved.length > 1 ? ` (and ${unserved.length - 1} more)` : '';
  stage.holds(unserved.length === 0, `${unserved[0]}${more}`);
  if (unanswered.length > 0) stage.inconclusive(`no answer that can be judged to ${unanswered[0]}`, 'target');
  if (cut > 0)
    stage.notApplicable(
      `the target ended the connection or streams before ${cut} of ${steps.length} requests were answered`,
    );
}

/** Streams of several tokens, some of them not to be served, and some that are given up right away. */
export async function manyStreams(stage: Stage, echo: boolean): Promise<void> {
  const connection = await stage.connect();
  await stage.control('the right request', {}, { on: connection });
  const all = await holders(stage, connection, 10);
  const first = all[0] ?? { token: await stage.mint(), proof: '' };
  const strays = await holders(stage, connection, 15);
  const steps = Array.from({ length: stage.full ? 100 : 42 }, (_, i): Step => {
    // The requests without a proof come right after one of the same token with it.
    const own = all[(i % 7 === 4 ? i - 1 : i) % all.length] ?? first;
    if (i % 7 === 2)
      return wrong(
        'a token with the proof of another one',
        {
          token: strays[Math.floor(i / 7)]?.token ?? first.token,
          proof: own.proof,
        },
        ['proof.claims.ath'],
      );
    if (i % 7 === 4) return wrong('a token without a proof', { token: own.token, proof: null }, ['proof']);
    if (i % 7 === 5)
      return wrong('a proof without a token', { token: null, proof: own.proof }, ['token', 'token.claims']);
    return right(own);
  });
  const abandoned = requestOf(stage, first);
  const judged = judgeTogether(stage, connection, steps, echo);
  await Promise.all([judged, connection.abandon(abandoned), connection.abandon(abandoned)]);
  if (connection.open) await stage.control('the right request after all streams', {}, { on: connection });
}

/** A holder's request, as it is to stand on the wire. */
function requestOf(stage: Stage, { token, proof }: Holder): WireRequest {
  const { hostname, protectedPath } = stage.setting.target;
  return {
    method: 'GET',
    target: protectedPath,
    authority: hostname,
    fields: [
      ['authorization', `Bearer ${token.compact}`],
      ['session-binding-proof', proof],
    ],
  };
}

/** Judges a right request on a connection where a stream was given up in the very octets that opened it. */
export async function outlivesReset(stage: Stage, connection: Connection, resets: boolean): Promise<void> {
  const token = await stage.mint();
  const proof = stage.proof(connection, token);
  await stage.control('the right request', { token, proof }, { on: connection });
  for (const round of ['first', 'second']) {
    if (resets) await connection.abandon(requestOf(stage, { token, proof }));
    const when = resets ? `after the ${round} stream that was reset` : `for the ${round} time`;
    await stage.accepts(`the right request ${when}`, { token, proof }, { on: connection });
  }
}

/** Sends a token, and then another one or the same again; judges only whether the connection is ended at it. */
export async function outlivesToken(
  stage: Stage,
  connection: Connection,
  changesToken: boolean,
): Promise<void> {
  const [first, other] = await holders(stage, connection, 2);
  if (first === undefined || other === undefined) return;
  const { served } = await stage.send('a token with its proof', first, { on: connection });
  if (!served) return;
  const [what, second] = changesToken ? ['another token', other] : ['the same token', first];
  const { reading } = await stage.send(`${what} with its proof`, second, { on: connection });
  if (reading.kind === 'cut')
    stage.notApplicable(`the target ended connection ${connection.id} at ${what} (${reading.text})`);
}

/** Requests sent one after the other without waiting for answers. */
export async function pipelined(stage: Stage, echo: boolean): Promise<void> {
  const arrangements: readonly ((on: Connection) => Promise<readonly Step[]>)[] = [
    async (on) => (await holders(stage, on, 3)).map(right),
    async (on) => {
      const [a, b] = await holders(stage, on, 2);
      if (a === undefined || b === undefined) return [];
      return [
        right(a),
        wrong('another token without a proof', { token: b.token, proof: null }, ['proof']),
        right(a),
        wrong('the same token without a proof', { token: a.token, proof: null }, ['proof']),
        right(b),
      ];
    },
    async (on) => {
      const [a, b, c] = await holders(stage, on, 3);
      if (a === undefined || b === undefined || c === undefined) return [];
      return [
        right(a),
        wrong('another token with the proof of the first', { token: b.token, proof: a.proof }, [
          'proof.claims.ath',
        ]),
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
