import { Command } from 'commander';
import { AMBIGUITIES } from '../../suites/requirements/catalogue.ts';
import { coverage } from '../../suites/requirements/coverage.ts';
import { SCENARIOS } from '../../suites/scenarios.ts';
import { permutations, permutationText } from '../scenario/permutation.ts';
import { causeTexts } from '../scenario/cause.ts';
import { requirementIdOf, severityOf } from '../scenario/requirement.ts';
import { requirement } from '../../suites/requirements/catalogue.ts';
import { nearMiss } from '../target/near-miss.ts';
import { UsageError } from '../usage-error.ts';

/** `tsbt explain ID` */
export function explainCommand(): Command {
  return new Command('explain')
    .description('say what a requirement, scenario or ambiguity is about')
    .argument('<id>', 'such as RS-EKM-5, RS-HDR-1.untyped or AMB-17')
    .action((id: string) => {
      process.stdout.write(explain(id));
    });
}

/** @throws {UsageError} when nothing has that id */
function explain(id: string): string {
  const ambiguity = AMBIGUITIES.find((entry) => entry.id === id);
  if (ambiguity !== undefined)
    return `${ambiguity.id} (draft -06 §${ambiguity.sections})\n\n  ${ambiguity.issue}\n\n  Stance: ${ambiguity.stance}\n`;
  const row = coverage().find((entry) => entry.id === requirementIdOf(id));
  const own = SCENARIOS.filter(
    (scenario) =>
      scenario.id === id || (row !== undefined && row.id === id && row.scenarios.includes(scenario.id)),
  );
  if (row === undefined || (own.length === 0 && row.id !== id)) {
    const near = nearMiss(id, [
      ...coverage().map((entry) => entry.id),
      ...SCENARIOS.map((scenario) => scenario.id),
      ...AMBIGUITIES.map((entry) => entry.id),
    ]);
    throw new UsageError(
      'explain',
      `there is no ${id}`,
      `${near === undefined ? '' : `Did you mean ${near}? `}See \`tsbt list requirements\`.`,
    );
  }
  const lines = [
    `${row.id}  ${row.level}  draft -06 §${row.sections}  ${row.area}`,
    '',
    `  ${row.statement}`,
    '',
  ];
  for (const entry of row.ambiguities)
    lines.push(`  ${entry.id}: ${entry.issue}`, `    Stance: ${entry.stance}`, '');
  if (row.untested !== undefined) lines.push(`  Not tested: ${row.untested}`, '');
  for (const scenario of own) {
    lines.push(
      `  Scenario ${scenario.id} (suite ${scenario.suite}): the ${scenario.role} ${scenario.title}.`,
      `    Not holding means: ${severityOf(requirement(requirementIdOf(scenario.id)), scenario.id, false)}`,
      `    Full profile: ${permutations(scenario.across, 'full').map(permutationText).join(', ')}`,
      ...(scenario.capabilities.length > 0
        ? [`    Needs the capabilities: ${scenario.capabilities.join(', ')}`]
        : []),
      ...causeTexts(scenario.cause).map((cause) => `    Usual cause: ${cause}`),
      `    Run it: npx tsbt run --scenario ${scenario.id}`,
      '',
    );
  }
  return `${lines.join('\n')}\n`;
}
