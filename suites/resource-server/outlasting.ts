import { Unjudgeable } from '../../harness/scenario/finding.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';

/** Something that must not end a connection, and how it is tried. */
export interface Provocation<C extends Connection> {
  /** What it is, in words: `a KeyUpdate`. */
  readonly what: string;
  /** What it means when it does end the connection. */
  readonly cause: string;
  readonly connect: () => Promise<C>;
  /**
   * Plays on a new connection with the verbs that judge, the right request first.
   *
   * @param provokes whether to provoke; else the same is played without
   */
  readonly play: (connection: C, provokes: boolean) => Promise<void>;
}

/**
 * Judged: a connection goes on after something that must not end it. A target may end any connection that was used
 * before (RFC 9112 §9.5), so it is held against it only where the connection ends twice with the provocation, and goes
 * on without it in between.
 */
export async function outlasts<C extends Connection>(
  stage: Stage,
  { what, cause, connect, play }: Provocation<C>,
): Promise<void> {
  let ended = '';
  for (const provokes of [true, false, true]) {
    const connection = await connect();
    const end = await endOf(() => play(connection, provokes));
    if (end === undefined && provokes) return;
    if (end !== undefined && !provokes)
      return stage.notApplicable(
        `the target ends connections without ${what} too (${end}), and this requirement is about one that goes on`,
      );
    if (end === undefined) stage.note(`without ${what} connection ${connection.id} goes on`);
    else stage.note(`after ${what} connection ${connection.id} is ended: ${end}`);
    ended = end ?? ended;
  }
  stage.holds(
    false,
    `a connection must go on after ${what}, and only without it does: ${ended}, and so it was the first time`,
    cause,
  );
}

/** How the target ended the connection meanwhile; `undefined` where it did not. */
async function endOf(play: () => Promise<void>): Promise<string | undefined> {
  try {
    await play();
    return undefined;
  } catch (error) {
    // What the stage throws where a request on a certain connection finds it ended.
    if (error instanceof Unjudgeable && error.verdict === 'not-applicable')
      return error.message.replace(/, and this requirement .*$/, '');
    throw error;
  }
}
