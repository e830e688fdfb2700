import { Command } from 'commander';
import { openStore } from '../../certs/store.ts';
import { matrixSummary, writeMatrix } from '../../reports/matrix.ts';
import type { Report } from '../../reports/model.ts';
import { DRAFT } from '../../suites/requirements/catalogue.ts';
import { interoperate } from '../matrix/matrix.ts';
import type { MatrixRecord } from '../matrix/record.ts';
import type { ExitCode } from '../run/exit-code.ts';
import { watchInterruption } from '../run/interruption.ts';
import { EMBEDDED } from '../target/embedded.ts';
import { loadManifest } from '../target/manifest.ts';
import type { Manifest } from '../target/manifest.ts';
import { containerTargets } from '../target/published.ts';
import { UsageError } from '../usage-error.ts';
import { claimFolder } from './report-folder.ts';

interface MatrixOptions {
  readonly out: string;
  readonly requireContainers: boolean;
}

/** `tsbt matrix` */
export function matrixCommand(tool: Report['tool']): Command {
  return new Command('matrix')
    .description('let every client talk to every resource server, with an observer between them')
    .argument(
      '[manifest...]',
      'clients and resource servers beside the references (default: those of this repository that run in containers)',
    )
    .option('--out <dir>', 'folder of the matrix, as matrix.json and index.html', 'conformance-report/matrix')
    .option(
      '--require-containers',
      'take it as an error when there is no engine for targets that run in containers',
      false,
    )
    .action(async (manifests: readonly string[], options: MatrixOptions) => {
      process.exitCode = await matrix(tool, manifests, options);
    });
}

async function matrix(
  tool: Report['tool'],
  paths: readonly string[],
  { out, requireContainers }: MatrixOptions,
): Promise<number> {
  const begun = performance.now();
  const startedAt = new Date().toISOString();
  const given =
    paths.length === 0
      ? (await containerTargets()).filter(({ name }) => !name.startsWith('reference-'))
      : await Promise.all(paths.map(loadManifest));
  refuseOthers(given);
  using stack = new DisposableStack();
  stack.use(await claimFolder(out));
  const references = await Promise.all([EMBEDDED.client, EMBEDDED['resource-server']].map(loadManifest));
  const parties = unique([...references, ...given]);
  using interruption = watchInterruption();
  const stop = new AbortController();
  interruption.stopWith(() => stop.abort());
  const outcome = await interoperate({
    clients: parties.filter(({ role }) => role === 'client'),
    servers: parties.filter(({ role }) => role === 'resource-server'),
    store: await openStore(),
    signal: stop.signal,
    cell: ({ client, server, journeys }) => {
      if (!process.stderr.isTTY) return;
      const failed = journeys.filter((journey) => journey.outcome === 'fail').length;
      process.stderr.write(`${failed === 0 ? '✓' : '✕'} ${client} × ${server}\n`);
    },
  });
  const record: MatrixRecord = {
    schema: 1,
    tool,
    draft: DRAFT,
    startedAt,
    durationMs: Math.round(performance.now() - begun),
    clients: outcome.clients,
    servers: outcome.servers,
    cells: outcome.cells,
    problems: outcome.problems,
  };
  const page = await writeMatrix(out, record);
  process.stdout.write(`${matrixSummary(record, { color: process.stdout.isTTY })}\nMatrix: ${page}\n`);
  return exitCodeOf(record, requireContainers ? 0 : outcome.withoutEngine);
}

/** @throws {UsageError} for a target that has no place in the matrix */
function refuseOthers(manifests: readonly Manifest[]): void {
  const other = manifests.find(({ role, start }) => !isPartyRole(role) || start.kind === 'url');
  if (other === undefined) return;
  throw new UsageError(
    other.file ?? other.name,
    isPartyRole(other.role) ? 'is a target that runs already' : `is of the role ${other.role}`,
    'Give manifests of clients and resource servers that the suite can start: each pair gets settings of its own.',
  );
}

function isPartyRole(role: Manifest['role']): boolean {
  return role === 'client' || role === 'resource-server';
}

/** @throws {UsageError} when two have the same name */
function unique(manifests: readonly Manifest[]): readonly Manifest[] {
  const names = new Map<string, Manifest>();
  for (const manifest of manifests) {
    const same = names.get(manifest.name);
    if (same === undefined) names.set(manifest.name, manifest);
    else if (same.file !== manifest.file)
      throw new UsageError(
        manifest.file ?? manifest.name,
        `has the name ${manifest.name}, as ${same.file ?? 'another'} has`,
        'Give each target a name of its own.',
      );
  }
  return [...names.values()];
}

/** 1 where a pair does not work; 4 where something is missing or unclear. */
function exitCodeOf({ clients, servers, cells, problems }: MatrixRecord, excused: number): ExitCode {
  const outcomes = cells.flatMap(({ journeys }) => journeys.map(({ outcome }) => outcome));
  if (outcomes.includes('fail')) return 1;
  const missing = [...clients, ...servers].filter(({ problem }) => problem !== undefined).length - excused;
  return missing > 0 || problems.length > 0 || outcomes.includes('inconclusive') || outcomes.length === 0
    ? 4
    : 0;
}
