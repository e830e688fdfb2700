import type { Exchange } from '../../harness/scenario/play.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Token } from '../../harness/forge/token.ts';

/** How the protected content is told from what anybody may see, on targets that answer 200 to any path too. */
export interface ProtectedContent {
  /** A token that nothing was proven with, which names a subject of its own where the suite mints tokens. */
  readonly token: Token;
  /** Words that stand in every valid response and in no public one; empty if there are none. */
  readonly telling: ReadonlySet<string>;
  /** The valid request's exchange, and how its plan differs from the usual one. */
  readonly control: Exchange;
  readonly base: RequestPlan;
}

/** A path that nobody has a reason to serve. */
export const ELSEWHERE = '/tsbt-elsewhere';

/**
 * Looks at the protected resource through the eyes of two users, so that what changes with each request or user is
 * left out, and at a page that is not the protected one.
 */
export async function protectedContent(stage: Stage): Promise<ProtectedContent> {
  const own = stage.setting.credentials === null;
  const [base, other] = [0, 1].map(() => (own ? { token: { subject: uniqueSubject() } } : {}));
  const first = await stage.control('the valid request', base);
  const second = await stage.control('the valid request of another subject', other);
  const elsewhere = await stage.send(`${ELSEWHERE}, which is another page, without a token`, {
    path: ELSEWHERE,
    token: null,
    proof: null,
  });
  return {
    token: await stage.mint(own ? { subject: uniqueSubject() } : {}),
    telling: tellingWords([bodyOf(first), bodyOf(second)], [bodyOf(elsewhere)]),
    control: first,
    base: base ?? {},
  };
}

function uniqueSubject(): string {
  return `tsbt-subject-${Math.random().toString(36).slice(2)}`;
}

/** Words that every protected body has and no public one. */
export function tellingWords(
  protectedBodies: readonly string[],
  publicBodies: readonly string[],
): ReadonlySet<string> {
  const [first = new Set<string>(), ...others] = protectedBodies.map(wordsOf);
  const known = publicBodies.map(wordsOf);
  return new Set(
    [...first].filter(
      (word) => others.every((words) => words.has(word)) && known.every((words) => !words.has(word)),
    ),
  );
}

/**
 * Whether a body is the protected content: it names the subject of the token that was sent, or has a third of
 * the telling words, and at least two (a handler that was reached without a token cannot fill everything in).
 */
export function isProtected(body: string, telling: ReadonlySet<string>, subject: string): boolean {
  const words = wordsOf(body);
  if (subject !== '' && words.has(subject)) return true;
  const found = [...telling].filter((word) => words.has(word)).length;
  return found > 0 && found >= Math.min(2, telling.size) && found * 3 >= telling.size;
}

function wordsOf(body: string): ReadonlySet<string> {
  return new Set(body.match(/[\p{L}\p{N}_-]+/gu));
}

export function bodyOf({ outcome }: Exchange): string {
  return outcome.type === 'response' ? outcome.body.toString('utf8') : '';
}
