import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Report, TargetSummary } from '../../reports/model.ts';
import { openStream } from '../../reports/ndjson.ts';
import type { StreamWriter } from '../../reports/ndjson.ts';
import { assembleReport } from '../../reports/assemble.ts';
import { terminalSummary } from '../../reports/terminal.ts';
import { writeReport } from '../../reports/write.ts';
import { DRAFT, requirement } from '../../suites/requirements/catalogue.ts';
import { coverage } from '../../suites/requirements/coverage.ts';
import { SCENARIOS } from '../../suites/scenarios.ts';
import { readBaseline, writeBaseline } from '../run/baseline.ts';
import type { Baseline } from '../run/baseline.ts';
import { conduct } from '../run/conduct.ts';
import type { StartedTarget } from '../run/conduct.ts';
import type { ExitCode } from '../run/exit-code.ts';
import { select } from '../run/selection.ts';
import type { Selection } from '../run/selection.ts';
import { AXES, parsePermutation } from '../scenario/permutation.ts';
import type { Permutation, ResultRecord, Role } from '../scenario/record.ts';
import { EMBEDDED, EMBEDDED_ROLES } from '../target/embedded.ts';
import { loadManifest, manifestForUrl } from '../target/manifest.ts';
import { containerTargets } from '../target/published.ts';
import type { Manifest } from '../target/manifest.ts';
import { loadAllSubjects } from '../mutants/subject.ts';
import { loadTrivialSubjects } from '../mutants/trivial.ts';
import { nearMiss } from '../target/near-miss.ts';
import { UsageError } from '../usage-error.ts';
import { claimFolder } from './report-folder.ts';
import { readKnown, resemblancesOf, toldOf } from './catches.ts';
import type { Known } from './catches.ts';

const ROLES: readonly Role[] = ['resource-server', 'client', 'intermediary', 'authorization-server'];

const INCONCLUSIVE: ExitCode = 4;

interface RunOptions {
  readonly url: readonly string[];
  readonly mutant: readonly string[];
  readonly role?: Role;
  readonly suite: readonly string[];
  readonly scenario: readonly string[];
  readonly requirement: readonly string[];
  readonly profile: 'core' | 'full';
  readonly permutation?: Permutation;
  readonly strict: boolean;
  readonly out: string;
  readonly baseline?: string;
  readonly writeBaseline: boolean;
  readonly containers: boolean;
  readonly requireContainers: boolean;
}

/** `tsbt run` */
export function runCommand(tool: Report['tool']): Command {
  const list = (value: string, before: readonly string[]): readonly string[] => [...before, value];
  return new Command('run')
    .description('run the conformance scenarios against targets and write a report')
    .argument('[manifest...]', 'target manifests (default: the embedded references of both roles)')
    .option('--url <url>', 'a resource server that runs already; may be repeated', list, [])
    .option(
      '--mutant <id>',
      'the reference with one mistake built in, such as M-RS-21, to see what a failure looks like; may be repeated',
      list,
      [],
    )
    .addOption(
      new Option('--role <role>', 'only scenarios of this role; the role of a --url target').choices([
        ...ROLES,
      ]),
    )
    .option('--suite <name>', 'only this suite; may be repeated', list, [])
    .option(
      '--scenario <glob>',
      'only scenarios whose id matches, such as "RS-EKM-*"; may be repeated',
      list,
      [],
    )
    .option('--requirement <id>', 'only scenarios of this requirement; may be repeated', list, [])
    .addOption(
      new Option(
        '--profile <profile>',
        'core: TLS 1.3, HTTP/1.1, P-256; full: every TLS and HTTP version and key type',
      )
        .choices(['core', 'full'])
        .default('core'),
    )
    .addOption(
      new Option('--permutation <text>', 'only this permutation, such as "TLSv1.2 h2 RSA"').argParser(
        permutationOption,
      ),
    )
    .option('--strict', 'take every warning as a failure', false)
    .option('--out <dir>', 'folder of the report', 'conformance-report')
    .option('--containers', 'the targets of this repository that run in containers', false)
    .option(
      '--require-containers',
      'take it as an error when there is no engine for targets that run in containers',
      false,
    )
    .option('--baseline <file>', 'known failures: target → scenario → reason')
    .option('--write-baseline', 'write what fails now into the --baseline file', false)
    .action(async (manifests: readonly string[], options: RunOptions) => {
      process.exitCode = await run(tool, manifests, options);
    });
}

function permutationOption(text: string): Permutation {
  const permutation = parsePermutation(text);
  if (permutation !== undefined) return permutation;
  throw new InvalidArgumentError(
    `Give a TLS version (${AXES.tls.join(', ')}), an HTTP version (${AXES.http.join(', ')}) and a key type (${AXES.key.join(', ')}).`,
  );
}

async function run(tool: Report['tool'], paths: readonly string[], options: RunOptions): Promise<number> {
  const begun = performance.now();
  const startedAt = new Date().toISOString();
  if (options.writeBaseline && options.baseline === undefined)
    throw new UsageError('--write-baseline', 'needs the file to write', 'Give it with --baseline FILE.');
  const selection: Selection = {
    role: options.role ?? null,
    suites: options.suite,
    scenarios: options.scenario,
    requirements: options.requirement,
    profile: options.profile,
    strict: options.strict,
    permutation: options.permutation ?? null,
  };
  const manifests = await manifestsOf(paths, options, selection);
  const baseline: Baseline =
    options.baseline === undefined || options.writeBaseline ? {} : await readBaseline(options.baseline);
  refuseStrangers(baseline, manifests, options.baseline);
  const out = resolve(options.out);
  let stream: StreamWriter | undefined;
  const claim = await claimFolder(out);
  try {
    const roles = EMBEDDED_ROLES.filter((role) => manifests.some((manifest) => manifest.role === role));
    const read = await Promise.all(roles.map(async (role) => [role, await readKnown(role)] as const));
    const known: ReadonlyMap<Role, Known> = new Map(read);
    const outcome = await conduct({
      manifests,
      scenarios: SCENARIOS,
      requirement,
      selection,
      baseline,
      requireContainers: options.requireContainers,
      begin: (planned, targets) => {
        stream = openStream(join(out, 'report.ndjson'), {
          tool,
          draft: DRAFT,
          startedAt,
          planned,
          targets: targets.map(summaryOf),
        });
      },
      result: (record) => stream?.append(record),
    });
    const finishedAt = new Date().toISOString();
    const report = assembleReport({
      tool,
      draft: DRAFT,
      startedAt,
      finishedAt,
      complete: outcome.complete,
      selection: {
        profile: selection.profile,
        strict: selection.strict,
        role: selection.role,
        suites: selection.suites,
        scenarios: selection.scenarios,
        requirements: selection.requirements,
      },
      targets: outcome.targets.map((target) =>
        withResemblances(summaryOf(target), outcome.results, known.get(target.manifest.role), selection),
      ),
      results: outcome.results,
      requirements: coverage(),
      ...(known.size > 0 ? toldOf([...known.values()]) : {}),
      problems: outcome.problems,
      exitCode: outcome.exitCode,
      measured: {
        wallMs: Math.round(performance.now() - begun),
        handshakes: outcome.handshakes,
        requests: outcome.requests,
      },
    });
    stream?.finish({ complete: outcome.complete, finishedAt, exitCode: outcome.exitCode });
    const summary = terminalSummary(report, {
      reportPath: join(options.out, 'index.html'),
      colour: process.stdout.isTTY,
    });
    try {
      await writeReport(report, out);
    } catch (error) {
      // A full disk must not cost the results of a long run.
      process.stdout.write(summary);
      throw error;
    }
    const { targets, results, problems } = outcome;
    if (options.writeBaseline && options.baseline !== undefined) {
      // Not from half a run: failures that were not reached would be lost from the file.
      if (!outcome.complete || targets.some(({ problem }) => problem !== undefined)) {
        process.stderr.write(`${[...problems, `No baseline written to ${options.baseline}`].join('\n')}\n`);
        return outcome.interrupted ? 130 : INCONCLUSIVE;
      }
      await writeBaseline(options.baseline, results);
      process.stdout.write(`Baseline written to ${options.baseline}\n`);
      return 0;
    }
    process.stdout.write(summary);
    return outcome.interrupted ? 130 : outcome.exitCode;
  } finally {
    stream?.[Symbol.dispose]();
    claim[Symbol.dispose]();
  }
}

async function manifestsOf(
  paths: readonly string[],
  options: RunOptions,
  selection: Selection,
): Promise<readonly Manifest[]> {
  const role = options.role ?? 'resource-server';
  const given = [
    ...(await Promise.all(paths.map((path) => loadManifest(path)))),
    ...options.url.map((url) => manifestForUrl(url, role)),
    ...(await mutants(options.mutant)),
    ...(options.containers ? await containerTargets() : []),
  ];
  const manifests = given.length > 0 ? given : await embeddedFor(selection);
  const names = manifests.map((manifest) => manifest.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new UsageError(
      'targets',
      `two of them are named ${twice}`,
      'Give each manifest a name of its own.',
    );
  return manifests;
}

/** The references of the roles that any chosen scenario is of. */
async function embeddedFor(selection: Selection): Promise<readonly Manifest[]> {
  const chosen = select(SCENARIOS, selection);
  const roles = EMBEDDED_ROLES.filter((role) => chosen.some((scenario) => scenario.role === role));
  return Promise.all(roles.map((role) => loadManifest(EMBEDDED[role])));
}

/**
 * The manifests of mutants, each under its own id and mistake.
 *
 * @throws {UsageError} when there is no such mutant
 */
async function mutants(ids: readonly string[]): Promise<readonly Manifest[]> {
  if (ids.length === 0) return [];
  const subjects = [...(await loadAllSubjects()), ...(await loadTrivialSubjects())];
  return ids.map((id) => {
    const subject = subjects.find((one) => one.id === id);
    if (subject !== undefined) return subject.manifest;
    const near = nearMiss(
      id,
      subjects.map((one) => one.id),
    );
    throw new UsageError(
      '--mutant',
      `there is no ${id}`,
      `${near === undefined ? '' : `Did you mean ${near}? `}See \`tsbt list mutants\`.`,
    );
  });
}

/** @throws {UsageError} when the baseline speaks of a target that is not in the run: a misspelt name would hide nothing and say nothing */
function refuseStrangers(baseline: Baseline, manifests: readonly Manifest[], file: string | undefined): void {
  const stranger = Object.keys(baseline).find(
    (name) => !manifests.some((manifest) => manifest.name === name),
  );
  if (stranger === undefined) return;
  throw new UsageError(
    file ?? '--baseline',
    `names the target ${stranger}, which is not in this run`,
    `Targets of this run: ${manifests.map((manifest) => manifest.name).join(', ')}.`,
  );
}

function withResemblances(
  target: TargetSummary,
  results: readonly ResultRecord[],
  known: Known | undefined,
  { strict }: Selection,
): TargetSummary {
  if (known === undefined) return target;
  const own = results.filter((result) => result.target === target.name);
  const resemblances = resemblancesOf(own, known, strict);
  return resemblances.length === 0 ? target : { ...target, resemblances };
}

/** What the report says of a target. */
export function summaryOf({ manifest, startedAs, problem, knownFailures }: StartedTarget): TargetSummary {
  const words =
    manifest.start.kind === 'url' && manifest.file === null
      ? `--url ${manifest.start.url}`
      : Object.values(EMBEDDED).some((path) => path === manifest.file)
        ? ''
        : (manifest.file ?? '');
  return {
    name: manifest.name,
    title: manifest.title,
    role: manifest.role,
    start: startedAs,
    capabilities: manifest.capabilities,
    ...(manifest.homepage === undefined ? {} : { homepage: manifest.homepage }),
    ...(manifest.version === undefined ? {} : { version: manifest.version }),
    arguments: words,
    ...(problem === undefined ? {} : { problem }),
    knownFailures,
  };
}
