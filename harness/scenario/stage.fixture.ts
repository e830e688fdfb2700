import type { Outcome } from '../wire/connection.ts';
import { ALWAYS } from './cause.fixture.ts';
import { CORE } from './permutation.ts';
import { LITERAL } from './preparation.ts';
import type { Variation } from './request.ts';
import type { Severity } from './requirement.ts';
import { suite } from './scenario.ts';
import type { ScenarioDefinition } from './scenario.ts';
import { Stage } from './stage.ts';
import { onPaper, response } from './target.fixture.ts';
import type { Paper, PaperConnection } from './target.fixture.ts';

/** The stage of a scenario with a target on paper. */
export function stageOn(
  paper: Paper = {},
  severity: Severity = 'fail',
  definition: Partial<ScenarioDefinition> = {},
): { readonly stage: Stage; readonly opened: PaperConnection[] } {
  const { setting, opened } = onPaper(paper);
  const [scenario] = suite('resource-server', 'paper', [
    { id: 'RS-X-1', title: 'does what it should', cause: ALWAYS, run: async () => {}, ...definition },
  ]);
  if (scenario === undefined) throw new Error('one definition makes one scenario');
  return { stage: new Stage(setting, scenario, CORE, severity, LITERAL), opened };
}

/** Answers the right request, and whatever else with this. */
export function otherwise(outcome: Outcome): Paper {
  return { answer: (seen) => (seen.right ? response(200) : outcome) };
}

export const wrongEkm: Variation = {
  what: 'ekm of nothing',
  change: { proof: { claims: { ekm: 'wrong' } } },
};
export const wrongAth: Variation = {
  what: 'ath of nothing',
  change: { proof: { claims: { ath: 'wrong' } } },
};
export const wrongType: Variation = { what: 'typ of nothing', change: { proof: { header: { typ: 'JWT' } } } };
