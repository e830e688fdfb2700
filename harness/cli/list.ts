import { Argument, Command } from 'commander';
import { coverage } from '../../suites/requirements/coverage.ts';
import { SCENARIOS } from '../../suites/scenarios.ts';
import { loadAllSubjects } from '../mutants/subject.ts';
import { loadTrivialSubjects } from '../mutants/trivial.ts';

/** `tsbt list scenarios|requirements [--json]` */
export function listCommand(): Command {
  return new Command('list')
    .description(
      'list the scenarios, the requirements with what tests them, or the mutants that try the suite',
    )
    .addArgument(new Argument('<what>', 'what to list').choices(['scenarios', 'requirements', 'mutants']))
    .option('--json', 'as JSON')
    .action(async (what: string, options: { json?: boolean }) => {
      const json = options.json === true;
      if (what === 'mutants') process.stdout.write(await mutants(json));
      else process.stdout.write(what === 'scenarios' ? scenarios(json) : requirements(json));
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

/** The mutants, and the harmless variants and trivial targets beside them. */
async function mutants(json: boolean): Promise<string> {
  const rows = [
    ...(await loadAllSubjects()).map(({ id, form, what, breaks }) => ({ id, form, what, breaks })),
    ...(await loadTrivialSubjects()).map(({ id, does }) => ({ id, form: 'trivial', what: does, breaks: [] })),
  ];
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  return rows.map((row) => `${row.id.padEnd(24)} ${row.form.padEnd(8)} ${row.what}\n`).join('');
}
