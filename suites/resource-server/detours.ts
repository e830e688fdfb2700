import { refused } from '../../harness/scenario/expectation.ts';
import { combine } from '../../harness/scenario/request.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import type { Exchange, Way } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { CannotSend, ConnectFailure } from '../../harness/wire/connection.ts';
import { bodyOf, isProtected, protectedContent } from './protected-content.ts';
import type { ProtectedContent } from './protected-content.ts';

/** Requests that may reach the protected resource by a way that is not guarded. */

/** Detours of one kind: they are served by the same mistake. */
export interface Detours {
  /** What they have in common, in words: `a path parameter`. */
  readonly kind: string;
  /** The likely mistake if one of them is served, and its cure. */
  readonly cause: string;
  readonly ways: readonly Detour[];
}

export interface Detour {
  readonly what: string;
  readonly plan?: RequestPlan;
  readonly connect?: Way['connect'];
}

/**
 * Judged: a session-bound token without a proof gets the protected content by none of the detours. Whatever else comes
 * of them is in order: 400, 404, 421, a redirect, a page for everybody.
 */
export async function judgeDetours(stage: Stage, kinds: readonly Detours[]): Promise<void> {
  const content = await protectedContent(stage);
  const plain = await stage.refusesOne(
    refused('use_session_binding'),
    {
      what: 'no proof, by the usual way',
      change: { proof: null },
      cause:
        'Nothing demands the proof, by whatever way the request comes. Verify it before the handler runs.',
    },
    content.control,
    content.base,
  );
  if (!('served' in plain) || plain.served) return;
  for (const { kind, cause, ways } of kinds) {
    const open: string[] = [];
    for (const detour of ways) {
      const reached = await reaches(stage, content, kind, detour);
      if (reached !== undefined) open.push(`${detour.what} ${reached}`);
    }
    stage.holds(
      open.length === 0,
      `${kind}: the protected content is served without a proof: ${open.join('; ')}`,
      cause,
    );
  }
  await stage.control('the valid request again');
}

/** How a detour leads to the protected content, in words; `undefined` if it does not. */
async function reaches(
  stage: Stage,
  content: ProtectedContent,
  kind: string,
  { what, plan = {}, connect }: Detour,
): Promise<string | undefined> {
  const way: Way = connect === undefined ? {} : { connect };
  const send = async (who: string, change: RequestPlan): Promise<Exchange | undefined> => {
    try {
      return await stage.send(
        `${kind}, ${what}, ${who}`,
        combine(plan, change),
        way,
        'variant',
        'not the protected content',
      );
    } catch (error) {
      if (error instanceof CannotSend) stage.note(`${what}: ${error.message}`);
      else if (error instanceof ConnectFailure)
        stage.note(`${what}: refused in the handshake already (${error.message})`);
      else throw error;
      return undefined;
    }
  };
  const bound = await send('without a proof', { token: content.token, proof: null });
  if (bound?.served !== true) return undefined;
  const anonymous = await send('without a token', { token: null, proof: null });
  const how = `(${bound.reading.text})`;
  if (anonymous?.served === true) {
    const shown = [bound, anonymous].some((one) =>
      isProtected(bodyOf(one), content.telling, content.token.subject),
    );
    if (shown) return `${how}, to anybody`;
    stage.note(`${what}: a page for everybody, and not the protected content`);
    return undefined;
  }
  // Who is served with a bound token and not without any was let in by that token alone.
  const { outcome } = anonymous ?? bound;
  const demanded = outcome.type === 'response' && (outcome.status === 401 || outcome.status === 403);
  if (demanded || isProtected(bodyOf(bound), content.telling, content.token.subject)) return how;
  stage.note(`${what}: served, and not the protected content`);
  return undefined;
}
