import type { ConnectPlan } from '../../harness/scenario/request.ts';
import type { Stage } from '../../harness/scenario/stage.ts';

/** Said where a target makes a full handshake each time. */
export const NOT_RESUMED = 'the target does not resume TLS sessions';

/** How TLS 1.2 sessions are resumed: by ticket (RFC 5077) or by session ID (RFC 5246 §7.3). */
const MEANS = [
  ['ticket', true],
  ['session ID', false],
] as const;

/**
 * Judges a target for each means of resuming a TLS 1.2 session that it offers; not applicable where it offers none.
 *
 * @param judge resolves with false where the target does not resume by these means
 */
export async function byEachMeans(
  stage: Stage,
  judge: (plan: Pick<ConnectPlan, 'sessionTickets'>) => Promise<boolean>,
): Promise<void> {
  let any = false;
  for (const [means, sessionTickets] of MEANS) {
    if (await judge({ sessionTickets })) any = true;
    else stage.note(`the target does not resume TLS 1.2 sessions by ${means}`);
  }
  if (!any) stage.notApplicable(NOT_RESUMED);
}
