import type { Answer } from '../../harness/counterpart/resource-server/contract.ts';
import { status } from '../../harness/scenario/client/answers.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import { EVERY_TRANSPORT } from '../../harness/scenario/permutation.ts';
import { meeting, type Met } from './meeting.ts';

/**
 * draft -06 §3.3.2 step 3; RFC 8470 §5.2: a request that was answered 425 may be sent again, on whichever connection has
 * completed its handshake. How often, in which form and not as early data: CL-RETRY-3, CL-RETRY-4, CL-EKM-7.too-early.
 */

const REPEATED_AS_IT_WAS =
  'What was answered 425 is repeated as it was sent, proof and all, where there is another connection by then. Take the request back to where its connection is chosen, and make the proof for that one; or hand the 425 to the agent.';

const TOO_EARLY = status(425);
const CLOSED: Answer = { kind: 'response', status: 425, fields: [], body: '', closes: true };

const ROWS: readonly Met[] = [
  ['it was answered 425', [TOO_EARLY]],
  ['it was answered 425 with Retry-After', [status(425, [['Retry-After', '0']])]],
  ['it was answered 425 and the connection ended', [CLOSED]],
  ['it was answered 425 twice, and each time the connection ended', [CLOSED, CLOSED]],
];

export const tooEarly = clientSuite('client-too-early', [
  {
    id: 'CL-EKM-5.too-early',
    title: 'sends no proof on another connection when a request is answered 425',
    across: EVERY_TRANSPORT,
    cause: REPEATED_AS_IT_WAS,
    run: (stage) => meeting(stage, ROWS),
  },
]);
