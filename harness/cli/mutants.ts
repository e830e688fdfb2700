import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { makeDirectory } from '../../certs/directory.ts';
import { renderKillMatrix } from '../../reports/html/kill-matrix-page.ts';
import { REQUIREMENTS } from '../../suites/requirements/catalogue.ts';
import { SCENARIOS } from '../../suites/scenarios.ts';
import { compare } from '../mutants/compare.ts';
import type { Comparison, Mismatch, Suite } from '../mutants/compare.ts';
import { killMatrix } from '../mutants/kill-matrix.ts';
import { readExactKillSets, readUnkilled, writeKillSets } from '../mutants/kill-sets.ts';
import type { KillSets } from '../mutants/kill-sets.ts';
import { mistakesOf, writeMistakes } from '../mutants/mistakes.ts';
import type { Matrix } from '../mutants/matrix.ts';
import { killSetOf } from '../mutants/observation.ts';
import { loadSubjects } from '../mutants/subject.ts';
import type { Subject } from '../mutants/subject.ts';
import type { ExitCode } from '../run/exit-code.ts';
import { nearMiss } from '../target/near-miss.ts';
import { UsageError } from '../usage-error.ts';
import { EMBEDDED_ROLES } from '../target/embedded.ts';
import type { EmbeddedRole } from '../target/embedded.ts';
import { selfCheckFilesOf } from './catches.ts';

interface MutantsOptions {
  readonly role?: EmbeddedRole;
  readonly out?: string;
  readonly write: boolean;
  readonly only: readonly string[];
  readonly shard?: string;
  readonly workers?: number;
}

/** `tsbt mutants` */
export function mutantsCommand(): Command {
  return new Command('mutants')
    .description('try the suite itself: every scenario on every mutant and harmless variant of the reference')
    .addOption(new Option('--role <role>', 'only the mutants of this role').choices([...EMBEDDED_ROLES]))
    .option('--only <id...>', 'only these mutants and variants')
    .option('--out <dir>', 'folder to write <role>.kill-matrix.json and .html into')
    .option(
      '--write',
      'declare what is found, instead of holding it against what is declared; review the diff',
      false,
    )
    .addOption(
      new Option('--shard <index/count>', 'only this part of them, for several machines').argParser(
        shardOption,
      ),
    )
    .addOption(
      new Option('--workers <count>', 'processes at once (default: one for each processor)').argParser(
        countOption,
      ),
    )
    .action(async (options: Omit<MutantsOptions, 'only'> & { readonly only?: readonly string[] }) => {
      process.exitCode = await mutants({ ...options, only: options.only ?? [] });
    });
}

function shardOption(text: string): string {
  const [index = 0, count = 0, ...rest] = text.split('/').map(Number);
  if (rest.length === 0 && Number.isInteger(index) && Number.isInteger(count) && index >= 1 && index <= count)
    return text;
  throw new InvalidArgumentError('Give which part of how many, such as 2/4.');
}

function countOption(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError('Give a number of processes, at least 1.');
}

async function mutants(options: MutantsOptions): Promise<ExitCode | 130> {
  const roles = EMBEDDED_ROLES.filter((role) => options.role === undefined || options.role === role);
  const all = new Map<EmbeddedRole, readonly Subject[]>();
  for (const role of roles) all.set(role, await loadSubjects(role));
  refuseUnknown([...all.values()].flat(), options.only);
  if (options.out !== undefined) await makeFolder(options.out);
  const codes: (ExitCode | 130)[] = [];
  for (const [role, subjects] of all) {
    const chosen =
      options.only.length === 0 ? subjects : subjects.filter(({ id }) => options.only.includes(id));
    if (chosen.length > 0) codes.push(await mutantsOf(role, subjects, chosen, options));
    if (codes.at(-1) === 130) break;
  }
  return codes.includes(130) ? 130 : codes.includes(4) ? 4 : codes.includes(1) ? 1 : 0;
}

/** Tries the suite of one role. */
async function mutantsOf(
  role: EmbeddedRole,
  all: readonly Subject[],
  chosen: readonly Subject[],
  options: MutantsOptions,
): Promise<ExitCode | 130> {
  const begun = performance.now();
  const files = selfCheckFilesOf(role);
  const declared = {
    killSets: await readExactKillSets(files.killSets),
    unkilled: await readUnkilled(files.unkilled),
  };
  // Loaded when it is needed: it brings the test runner with it, which no other command but `run` wants.
  const { playMatrix } = await import('../mutants/matrix.ts');
  const matrix = await playMatrix({
    subjects: chosen,
    ...(options.shard === undefined ? {} : { shard: options.shard }),
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    observed: () => (process.stderr.isTTY ? process.stderr.write('.') : undefined),
  });
  // A shard is held to what it was given; elsewhere each subject has to have left something.
  const tried =
    options.shard === undefined
      ? chosen
      : chosen.filter(({ id }) => matrix.observations.some(({ subject }) => subject === id));
  const suite: Suite = {
    scenarios: SCENARIOS.filter((scenario) => scenario.role === role).map(({ id }) => id),
    requirements: REQUIREMENTS.filter((requirement) => requirement.role === role),
  };
  const killSets = options.write ? renewed(all, declared.killSets, matrix) : declared.killSets;
  if (options.write && !matrix.interrupted) {
    await writeKillSets(files.killSets, killSets);
    await writeMistakes(files.mistakes, mistakesOf(all));
  }
  const current = { ...declared, killSets };
  const comparison = compare(tried, all, matrix.observations, current, suite);
  const wallMs = Math.round(performance.now() - begun);
  if (options.out !== undefined) {
    const found = killMatrix(role, wallMs, tried, matrix.observations, comparison, current, suite);
    await writeFile(join(options.out, `${role}.kill-matrix.json`), `${JSON.stringify(found, null, 2)}\n`);
    await writeFile(join(options.out, `${role}.kill-matrix.html`), renderKillMatrix(found));
  }
  process.stdout.write(`\n${role}\n${summary(comparison, matrix, wallMs)}`);
  if (options.write) process.stdout.write(`Kill sets written to ${files.killSets}: review the diff.\n`);
  if (matrix.interrupted) return 130;
  if (matrix.problems.length > 0 || tried.length === 0) return 4;
  return comparison.mismatches.length > 0 ? 1 : 0;
}

/** @throws {UsageError} where one does not exist */
function refuseUnknown(all: readonly Subject[], only: readonly string[]): void {
  for (const id of only) {
    if (all.some((subject) => subject.id === id)) continue;
    const near = nearMiss(
      id,
      all.map((subject) => subject.id),
    );
    throw new UsageError(
      '--only',
      `there is no mutant or variant ${id}`,
      near === undefined ? 'See `tsbt list mutants`.' : `Did you mean ${near}?`,
    );
  }
}

/** @throws {UsageError} when the folder cannot be made */
async function makeFolder(path: string): Promise<void> {
  try {
    await makeDirectory(path);
  } catch (error) {
    throw new UsageError(
      '--out',
      `${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      'Give a folder that you may write with --out DIR.',
    );
  }
}

/** The kill sets with what was found in place of what was declared, in the order of the catalogues. */
function renewed(all: readonly Subject[], before: KillSets, matrix: Matrix): KillSets {
  return Object.fromEntries(
    all.flatMap(({ id, form }) => {
      const observation = matrix.observations.find(
        ({ subject, problem }) => subject === id && problem === undefined,
      );
      const set = observation === undefined ? before[id] : killSetOf(observation, form);
      return set === undefined ? [] : [[id, set] as const];
    }),
  );
}

const HEADINGS: Readonly<Record<Mismatch['kind'], string>> = {
  'not-tried': 'Could not be tried',
  'harness-fault': 'Faults of the harness',
  survivor: 'Mutants that nothing catches',
  unmet: 'Requirements that a mutant breaks, and that no scenario finds broken',
  wronged: 'Harmless variants that a scenario calls broken or cannot judge',
  undeclared: 'Found, and not declared',
  missed: 'Declared, and not found',
  changed: 'Declared, and more or less found',
  ambiguous: 'Ids that stand for several mutants or variants',
  vacuous: 'Scenarios that kill nothing',
  stale: 'Declarations about what there is not, or not any more',
};

function summary(
  {
    mismatches,
    mutants: mutantCount,
    killedExactly,
    variants,
    variantsClean,
    withoutKill,
    inconclusive,
  }: Comparison,
  matrix: Matrix,
  wallMs: number,
): string {
  const lines = [''];
  for (const [kind, heading] of Object.entries(HEADINGS)) {
    const own = mismatches.filter((one) => one.kind === kind);
    if (own.length > 0)
      lines.push(`${heading} (${own.length}):`, ...own.map(({ about, text }) => `  ${about}: ${text}`), '');
  }
  if (matrix.problems.length > 0)
    lines.push(
      `Problems of the run (${matrix.problems.length}):`,
      ...matrix.problems.map((problem) => `  ${problem}`),
      '',
    );
  const reasoned = withoutKill.filter(({ reason }) => reason !== '');
  if (reasoned.length > 0)
    lines.push(
      `Scenarios without a kill, with the reason (${reasoned.length}):`,
      ...reasoned.map(({ scenario, reason }) => `  ${scenario}: ${reason}`),
      '',
    );
  lines.push(
    `${mutantCount} mutants, ${killedExactly} killed exactly as declared · ${variants} harmless variants, ${variantsClean} clean`,
    `${withoutKill.length} scenarios without a kill, ${reasoned.length} of them with a reason · ${inconclusive} verdicts on mutants inconclusive`,
    `${(wallMs / 1000).toFixed(1)} s`,
    '',
  );
  return lines.join('\n');
}
