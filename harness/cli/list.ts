import { Argument, Command } from 'commander';
import { coverage } from '../../suites/requirements/coverage.ts';
import { SCENARIOS } from '../../suites/scenarios.ts';

/** `tsbt list scenarios|requirements [--json]` */
export function listCommand(): Command {
  return new Command('list')
    .description('list the scenarios, or the requirements with what tests them')
    .addArgument(new Argument('<what>', 'what to list').choices(['scenarios', 'requirements']))
    .option('--json', 'as JSON')
    .action((what: string, options: { json?: boolean }) => {
      process.stdout.write(
        what === 'scenarios' ? scenarios(options.json === true) : requirements(options.json === true),
      );
    });
}

function scenarios(json: boolean): string {
  const rows = SCENARIOS.map(({ id, role, suite, title, capabilities }) => ({
    id,
    role,
    suite,
    title,
    capabilities,
  }));
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  return rows.map((row) => `${row.id.padEnd(26)} ${row.suite.padEnd(18)} ${row.title}\n`).join('');
}

function requirements(json: boolean): string {
  const rows = coverage();
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  return rows
    .map(
      (row) =>
        `${row.id.padEnd(12)} ${row.level.padEnd(9)} ${row.scenarios.length > 0 ? row.scenarios.join(', ') : `untested: ${row.untested ?? ''}`}\n`,
    )
    .join('');
}
