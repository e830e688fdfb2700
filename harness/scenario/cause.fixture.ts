import type { Deviation } from './record.ts';

/** What failing the scenario means. */
export const CAUSE = 'the usual mistake';

/** The same, whatever an attempt came to. */
export const ALWAYS = {
  served: CAUSE,
  'other-manner': CAUSE,
  'server-error': CAUSE,
  ended: CAUSE,
  rejected: CAUSE,
  attack: CAUSE,
  'no-proof': CAUSE,
  defect: CAUSE,
  statement: CAUSE,
} satisfies Record<Deviation, string>;
