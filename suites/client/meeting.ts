import type { Answer } from '../../harness/counterpart/resource-server/contract.ts';
import { serveProven } from '../../harness/scenario/client/answers.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { allSound, answering, returns } from './upstream.ts';

/** What a request meets with, in words, and the answers that bring it about. */
export type Met = readonly [what: string, answers: readonly Answer[]];

/** Judged: a request that meets with this, on a connection that was in use before, and whatever follows from it. */
export async function meeting(stage: ClientStage, rows: readonly Met[]): Promise<void> {
  const token = stage.mint();
  const { arrival: control } = await stage.control(['form', 'ekm'], 'a request before', { token });
  for (const [what, answers] of rows) {
    stage.answerWith(answering(...answers));
    await returns(stage, ['ekm'], control, `a request: ${what}`, { token });
    stage.answerWith(serveProven);
    await returns(stage, ['ekm'], control, 'the same token afterwards', { token });
  }
  allSound(stage, ['ekm']);
}
