import { combine } from '../../harness/scenario/request.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';

/** RFC 9112 §6, §9.3: a refused request's body belongs to that request, read or not. */

const NEXT_REQUEST =
  'The body of a refused request is left unread, and what reads the connection next takes it for a request: whoever can choose a body smuggles one in. Read the body and throw it away, or end the connection after the refusal (RFC 9112 §9.3).';

/** A way for a refused request to carry a body. */
interface Carriage {
  readonly what: string;
  readonly plan: RequestPlan;
}

function carriages(full: boolean): readonly Carriage[] {
  const post: RequestPlan = { method: 'POST', proof: null };
  return [
    { what: 'POST', plan: post },
    { what: 'POST in chunks', plan: { ...post, trailers: [] } },
    {
      what: 'POST with Expect: 100-continue, whose body follows at once',
      plan: { ...post, fields: [['Expect', '100-continue']] },
    },
    ...(full
      ? [
          { what: 'GET', plan: { ...post, method: 'GET' } },
          { what: 'DELETE', plan: { ...post, method: 'DELETE' } },
          { what: 'POST without a token', plan: { ...post, token: null } },
          {
            what: 'POST with a form',
            plan: { ...post, fields: [['Content-Type', 'application/x-www-form-urlencoded']] as const },
          },
        ]
      : []),
  ];
}

/**
 * Judged: a refused request with this body gets one answer, and the valid request after it its own.
 *
 * @param before a connection whose last request was served as it must be
 * @returns that connection, or another one, to go on with; `undefined` if it has ended or is out of step
 */
async function getsOneAnswer(
  stage: Stage,
  { what, plan }: Carriage,
  content: string,
  body: string,
  before?: Connection,
): Promise<Connection | undefined> {
  const on = before ?? (await stage.connect());
  if (before === undefined) await stage.control('the valid request', {}, { on });
  const name = `${what}, without a proof, whose body is ${content}`;
  const first = await stage.send(name, combine(plan, { body }), { on }, 'variant', 'one refusal');
  if (first.served) {
    stage.note(`${name}: served (${first.reading.text}); see RS-FLD-8`);
    return undefined;
  }
  // A server that does not read the body may end the connection (RFC 9112 §9.3).
  if (first.reading.kind === 'cut' || !on.open) {
    stage.note(`${name}: the connection was ended`);
    return undefined;
  }
  for (const which of ['next', 'second']) {
    const after = `the ${which} valid request after ${name}`;
    const next = await stage.send(after, {}, { on }, 'control', 'served');
    if (next.reading.kind === 'cut') {
      stage.note(`${after}: the connection was ended`);
      return undefined;
    }
    if (!next.served) await stage.blames(after, next);
    const { outcome } = next;
    const another = outcome.type === 'failure' && outcome.kind === 'garbage';
    stage.holds(
      next.served,
      `${after} was answered ${next.reading.text}${another ? ', for the first one had got two answers' : ''}, must be served`,
    );
    if (!next.served || !on.open) return undefined;
  }
  return on;
}

export const refusedBodies = suite('resource-server', 'refused-bodies', [
  {
    id: 'RS-ERR-10',
    title: 'answers a refused request once, whatever its body, and the next request with its own response',
    across: { http: ['http/1.1'] },
    needs: ['persistent-connection'],
    cause: NEXT_REQUEST,
    async run(stage) {
      const { hostname, port, protectedPath } = stage.setting.target;
      const request = `GET ${protectedPath} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`;
      let on: Connection | undefined;
      for (const carriage of carriages(stage.full)) {
        on = await getsOneAnswer(stage, carriage, 'a request without a token', request, on);
        if (!stage.full) continue;
        await getsOneAnswer(stage, carriage, 'two such requests', request + request);
        await getsOneAnswer(stage, carriage, 'no request', 'tsbt');
        await getsOneAnswer(stage, carriage, 'such a request after 128 KiB', ' '.repeat(131_072) + request);
      }
      await stage.control('the valid request again');
    },
  },
]);
