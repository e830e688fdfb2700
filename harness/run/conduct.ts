import { availableParallelism } from 'node:os';
import type { Reporter } from 'vitest/node';
import { everyProofJudged, judgesOfEveryProof } from '../scenario/client/every-proof.ts';
import type { ResultRecord } from '../scenario/record.ts';
import type { Requirement } from '../scenario/requirement.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Manifest } from '../target/manifest.ts';
import { TargetProblem } from '../target/target.ts';
import type { Target } from '../target/target.ts';
import { caseText, disturbed, isBetter, isSettled, playedAlone, settled } from './again.ts';
import { staleEntries } from './baseline.ts';
import type { Baseline } from './baseline.ts';
import { conformanceProject } from './conformance-project.ts';
import { exitCodeOf } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { startOpposite } from './opposite.ts';
import type { Opposite } from './opposite.ts';
import type { Plan } from './plan.ts';
import { Recorder } from './recorder.ts';
import { casesOf, select } from './selection.ts';
import type { Selection } from './selection.ts';
import { watchInterruption } from './interruption.ts';
import type { Interruption } from './interruption.ts';

/** What is to be run. */
export interface RunRequest {
  readonly manifests: readonly Manifest[];
  readonly scenarios: readonly Scenario[];
  /** The catalogue's row of an id. */
  requirement(id: string): Requirement;
  readonly selection: Selection;
  readonly baseline: Baseline;
  /** Whether a target that cannot be run for want of a container engine keeps the run from being conclusive. */
  readonly requireContainers?: boolean;
  /** Told when all targets are started, before the first result. */
  begin(planned: number, targets: readonly StartedTarget[]): void;
  /** Told each result as it comes. */
  result(record: ResultRecord): void;
}

/** A target of the run, started or not. */
export interface StartedTarget {
  readonly manifest: Manifest;
  readonly startedAs: string;
  /** Why it could not be run. */
  readonly problem?: string;
  readonly knownFailures: Readonly<Record<string, string>>;
}

export interface RunOutcome {
  readonly targets: readonly StartedTarget[];
  readonly results: readonly ResultRecord[];
  readonly problems: readonly string[];
  readonly complete: boolean;
  readonly exitCode: ExitCode;
  /** 128 + signal where the user stopped the run. */
  readonly interrupted: boolean;
  readonly handshakes: number;
  readonly requests: number;
}

/**
 * Runs the chosen scenarios on every target, in parallel, through vitest. Targets that cannot be started
 * are reported, the others run. Everything that was started is stopped again, however the run ends.
 *
 * @throws {UsageError} when the selection matches nothing
 */
export async function conduct(request: RunRequest): Promise<RunOutcome> {
  const { manifests, selection, scenarios } = request;
  const chosen = select(scenarios, selection);
  using interruption = watchInterruption();
  // Loaded beside the start of the targets, which would otherwise wait for it or it for them.
  void import('vitest/node');
  await using opposite = await startOpposite();
  await using stack = new AsyncDisposableStack();
  const started = await startAll(manifests, opposite, stack);
  const problems: string[] = [];
  const running: { readonly target: Target; readonly plan: Plan }[] = [];
  let missing = 0;
  const described: StartedTarget[] = [];
  for (const { manifest, target } of started) {
    const knownFailures = { ...manifest.knownFailures, ...request.baseline[manifest.name] };
    if (target instanceof TargetProblem) {
      if (target.kind !== 'no-engine' || request.requireContainers === true) missing++;
      problems.push(target.message);
      described.push({ manifest, startedAs: manifest.start.kind, problem: target.message, knownFailures });
      continue;
    }
    void target.ended.then((how) => problems.push(`${manifest.name} ended during the run: ${how}`));
    described.push({ manifest, startedAs: target.startedAs, knownFailures });
    const own = casesOf(
      chosen.filter((scenario) => scenario.role === manifest.role),
      selection,
      manifest.capabilities,
    );
    running.push({ target, plan: await opposite.plan(target, own, selection, knownFailures) });
  }
  const planned = running.reduce((sum, { plan }) => sum + plan.cases.length, 0);
  request.begin(planned, described);
  const log = (name: string): readonly string[] =>
    running.find(({ target }) => target.manifest.name === name)?.target.log() ?? [];
  const judges = judgesOfEveryProof(scenarios);
  const early = (record: ResultRecord): boolean => isSettled(record) && !judges.has(record.scenario);
  // What may be played again, or rests on the whole run, is reported when that is settled.
  const recorder = new Recorder({
    result: (record) => (early(record) ? request.result(settled(record)) : undefined),
    log,
  });
  if (planned > 0 && !interruption.interrupted)
    await play(
      running.flatMap(({ target, plan }) => partsOf(plan, processorsFor(target))),
      recorder,
      interruption,
    );
  const played = everyProofJudged({
    results: await playAgain(
      recorder,
      running.map(({ plan }) => plan),
      log,
      interruption,
    ),
    tallied: recorder.results,
    scenarios,
    requirement: (id) => request.requirement(id),
    strict: selection.strict,
  });
  for (const [i, record] of recorder.results.entries())
    if (!early(record)) request.result(played[i] ?? settled(record));
  const { interrupted } = interruption;
  if (interrupted)
    problems.push('the run was interrupted: what had been reached is here, the rest is missing');
  if (!interrupted && played.length < planned) {
    problems.push(
      `${planned - played.length} of ${planned} results are missing: a worker of the harness ended early`,
    );
  }
  const exists = (id: string): boolean => scenarios.some((scenario) => scenario.id === id);
  const stale = described.flatMap(({ manifest, knownFailures, problem }) =>
    problem === undefined
      ? staleEntries(
          manifest.name,
          knownFailures,
          // Of a scenario of which only a part was played, nobody knows that it does not fail any more.
          interrupted || selection.permutation !== null
            ? []
            : played.filter((result) => result.target === manifest.name),
          exists,
        )
      : [],
  );
  const complete = !interrupted && recorder.problems.length === 0 && played.length === planned;
  const exitCode = exitCodeOf({
    results: played,
    planned,
    complete,
    targetMissing: missing > 0,
    stale,
    known: (target, scenario) =>
      described.some(({ manifest, knownFailures }) => manifest.name === target && scenario in knownFailures),
  });
  return {
    targets: described,
    results: inOrder(
      played,
      scenarios.map((scenario) => scenario.id),
    ),
    problems: [...problems, ...recorder.problems, ...stale],
    complete,
    exitCode,
    interrupted,
    handshakes: recorder.handshakes,
    requests: recorder.requests,
  };
}

/**
 * Starts every target and hands each that runs to the stack at once, so that it is stopped again also where
 * the set-up of another one fails.
 */
async function startAll(
  manifests: readonly Manifest[],
  opposite: Opposite,
  stack: AsyncDisposableStack,
): Promise<readonly { readonly manifest: Manifest; readonly target: Target | TargetProblem }[]> {
  const settled = await Promise.allSettled(
    manifests.map(async (manifest) => {
      const target = await startOrProblem(() => opposite.start(manifest));
      if (!(target instanceof TargetProblem)) stack.use(target);
      return { manifest, target };
    }),
  );
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

async function startOrProblem(start: () => Promise<Target>): Promise<Target | TargetProblem> {
  try {
    return await start();
  } catch (error) {
    if (error instanceof TargetProblem) return error;
    throw error;
  }
}

/** Bound on what is played again. */
const AGAIN_MS = 90_000;

/**
 * Plays again, one after the other, what other scenarios at work may have had a part in.
 *
 * @returns the results of the run, in the recorder's order: those of the second time where there was one
 */
async function playAgain(
  first: Recorder,
  plans: readonly Plan[],
  log: (target: string) => readonly string[],
  interruption: Interruption,
): Promise<readonly ResultRecord[]> {
  const kept = first.results.map(settled);
  const again = plans.flatMap((plan) => {
    const own = first.results.filter(({ target }) => target === plan.target.name);
    const wanted = new Set(disturbed(own).map(caseText));
    const cases = plan.cases.filter((one) => wanted.has(caseText(one)));
    return cases.length === 0 ? [] : [{ ...plan, cases }];
  });
  if (again.length === 0 || interruption.interrupted) return kept;
  const second = new Recorder({ result: () => undefined, log });
  await play(again, second, interruption, { alone: true });
  first.handshakes += second.handshakes;
  first.requests += second.requests;
  const better = new Map(
    second.results.filter(isBetter).map((one) => [`${one.target} ${caseText(one)}`, playedAlone(one)]),
  );
  return kept.map((one) => better.get(`${one.target} ${caseText(one)}`) ?? one);
}

/**
 * Plays parts of plans to their end, or until the user interrupts.
 *
 * @param alone one scenario after the other, for a bounded time
 */
async function play(
  parts: readonly Plan[],
  recorder: Reporter,
  interruption: Interruption,
  { alone = false }: { readonly alone?: boolean } = {},
): Promise<void> {
  const cancel = (): void => void vitest.cancelCurrentRun('keyboard-input');
  // A wish that comes while vitest is still getting ready is forgotten by it: it is repeated when tests begin.
  const reminder: Reporter = { onTestCaseReady: () => (interruption.interrupted ? cancel() : undefined) };
  const { createVitest } = await import('vitest/node');
  const vitest = await createVitest({
    run: true,
    watch: false,
    config: false,
    projects: parts.map((part, index) =>
      conformanceProject(`${part.target.name} ${index + 1}`, part, [], alone),
    ),
    maxWorkers: alone ? 1 : availableParallelism(),
    reporters: [recorder, reminder],
    api: false,
    cache: false,
    passWithNoTests: false,
  });
  interruption.stopWith(cancel);
  const bound = alone ? setTimeout(cancel, AGAIN_MS) : undefined;
  try {
    if (!interruption.interrupted) await vitest.start();
  } finally {
    clearTimeout(bound);
    await vitest.close();
  }
}

/** A server that runs in this process keeps one processor busy itself. */
function processorsFor({ manifest }: Target): number {
  const all = availableParallelism();
  return manifest.start.kind === 'module' && manifest.role === 'resource-server' ? Math.max(1, all - 1) : all;
}

/** Fewer cases than this are not worth a second process. */
const WORTH_A_PROCESS = 60;

/**
 * Deals a plan's cases out to several processes.
 *
 * @param most how many processes there can be for it
 */
function partsOf(plan: Plan, most: number): readonly Plan[] {
  // A client that runs already calls one port, which only one process can listen on.
  if (plan.role === 'client' && plan.manifest.start.kind === 'url') return [plan];
  const parts = Math.max(1, Math.min(most, Math.floor(plan.cases.length / WORTH_A_PROCESS)));
  return Array.from({ length: parts }, (_, part) => ({
    ...plan,
    cases: plan.cases.filter((_case, index) => index % parts === part),
  }));
}

/** Results come as scenarios end; readers want them as the suites are written. */
function inOrder(results: readonly ResultRecord[], order: readonly string[]): readonly ResultRecord[] {
  const place = new Map(order.map((id, index) => [id, index]));
  return results.toSorted(
    (a, b) => a.target.localeCompare(b.target) || (place.get(a.scenario) ?? 0) - (place.get(b.scenario) ?? 0),
  );
}
