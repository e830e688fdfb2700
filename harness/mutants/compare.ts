import { requirementIdOf, severityOf } from '../scenario/requirement.ts';
import type { Requirement } from '../scenario/requirement.ts';
import { killSetOf } from './observation.ts';
import type { Observation } from './observation.ts';
import { readKill, withoutCount } from './kill-sets.ts';
import type { KillSet, KillSets, Unkilled } from './kill-sets.ts';
import { ambiguous } from './subject.ts';
import type { Subject } from './subject.ts';

/** What observations are held against. */
export interface Declared {
  readonly killSets: KillSets;
  readonly unkilled: Unkilled;
}

/** The suite that was tried. */
export interface Suite {
  /** Ids of the role's scenarios. */
  readonly scenarios: readonly string[];
  /** The role's requirements. */
  readonly requirements: readonly Requirement[];
}

/** What does not hold. */
export interface Mismatch {
  readonly kind:
    /** The suite could not be tried on it. */
    | 'not-tried'
    /** A scenario ended by a fault of the harness. */
    | 'harness-fault'
    /** Nothing catches the mutant. */
    | 'survivor'
    /** A scenario finds something that is not declared. */
    | 'undeclared'
    /** A scenario that is declared finds nothing. */
    | 'missed'
    /** A scenario that is declared finds more, or less. */
    | 'changed'
    /** No scenario of a requirement fails that the mutant breaks. */
    | 'unmet'
    /** A scenario calls a harmless variant a failure, or cannot judge it. */
    | 'wronged'
    /** Several mutants or variants have the same id. */
    | 'ambiguous'
    /** The kill sets speak of something that there is not. */
    | 'stale'
    /** A scenario kills nothing, and no reason is given. */
    | 'vacuous';
  /** The mutant, variant or scenario that it is about. */
  readonly about: string;
  readonly text: string;
}

export interface Comparison {
  readonly mismatches: readonly Mismatch[];
  readonly mutants: number;
  readonly killedExactly: number;
  readonly variants: number;
  readonly variantsClean: number;
  /** Scenarios that mean a failure and kill no mutant, each with its reason. */
  readonly withoutKill: readonly { readonly scenario: string; readonly reason: string }[];
  /** Verdicts on mutants that say nothing. */
  readonly inconclusive: number;
}

/**
 * Holds what was found on mutants and variants against what is declared.
 *
 * @param tried the subjects of this run
 * @param all every subject that there is, to tell which declarations are stale
 */
export function compare(
  tried: readonly Subject[],
  all: readonly Subject[],
  observations: readonly Observation[],
  declared: Declared,
  suite: Suite,
): Comparison {
  const mismatches: Mismatch[] = [];
  const clean = { mutant: 0, variant: 0 };
  for (const subject of tried) {
    const observation = observations.find((one) => one.subject === subject.id);
    const found = ofSubject(subject, observation, declared.killSets[subject.id], suite);
    if (found.length === 0) clean[subject.form]++;
    mismatches.push(...found);
  }
  for (const id of ambiguous(all))
    mismatches.push({ kind: 'ambiguous', about: id, text: 'is the id of several mutants or variants' });
  const withoutKill = scenariosWithoutKill(all, declared.killSets, suite);
  mismatches.push(
    ...staleSets(all, declared.killSets, suite),
    ...vacuous(withoutKill, declared.unkilled, suite),
  );
  const mutants = tried.filter(({ form }) => form === 'mutant');
  const ids = new Set(mutants.map(({ id }) => id));
  return {
    mismatches,
    mutants: mutants.length,
    killedExactly: clean.mutant,
    variants: tried.length - mutants.length,
    variantsClean: clean.variant,
    withoutKill: withoutKill.map((scenario) => ({ scenario, reason: declared.unkilled[scenario] ?? '' })),
    inconclusive: observations
      .filter(({ subject }) => ids.has(subject))
      .reduce(
        (sum, { findings }) => sum + findings.filter(({ verdict }) => verdict === 'inconclusive').length,
        0,
      ),
  };
}

/** What does not hold of one subject. */
export function ofSubject(
  subject: Subject,
  observation: Observation | undefined,
  declared: KillSet | undefined,
  suite: Suite,
): readonly Mismatch[] {
  const { id } = subject;
  if (observation === undefined) return [{ kind: 'not-tried', about: id, text: 'left no result' }];
  if (observation.problem !== undefined) return [{ kind: 'not-tried', about: id, text: observation.problem }];
  const mismatches: Mismatch[] = observation.findings
    .filter(({ verdict, attribution }) => verdict === 'inconclusive' && attribution === 'harness')
    .map(({ scenario, reason }) => ({
      kind: 'harness-fault',
      about: id,
      text: `${scenario}: ${firstLine(reason)}`,
    }));
  const found = killSetOf(observation, subject.form);
  const reasonFor = (entry: string): string =>
    firstLine(
      observation.findings.find(({ scenario }) => scenario === readKill(entry).scenario)?.reason ?? null,
    );
  if (subject.form === 'mutant' && found.length === 0)
    mismatches.push({ kind: 'survivor', about: id, text: `nothing catches it: ${subject.what}` });
  if (subject.form === 'variant') {
    const wronged = found.filter((entry) => ['fail', 'inconclusive'].includes(readKill(entry).verdict));
    mismatches.push(
      ...wronged.map((entry): Mismatch => ({
        kind: 'wronged',
        about: id,
        text: `${entry}: ${reasonFor(entry)}`,
      })),
    );
  }
  const expected = declared ?? [];
  const other = (entry: string, among: KillSet): string | undefined =>
    among.find((one) => one !== entry && withoutCount(one) === withoutCount(entry));
  mismatches.push(
    ...found.flatMap((entry): readonly Mismatch[] => {
      const before = other(entry, expected);
      return before === undefined
        ? []
        : [{ kind: 'changed', about: id, text: `${before} is declared, ${entry} is found` }];
    }),
  );
  const undeclared = found.filter(
    (entry) => !expected.includes(entry) && other(entry, expected) === undefined,
  );
  mismatches.push(
    ...undeclared.map((entry): Mismatch => ({
      kind: 'undeclared',
      about: id,
      text: `${entry}: ${reasonFor(entry)}`,
    })),
  );
  const missed = expected.filter((entry) => !found.includes(entry) && other(entry, found) === undefined);
  mismatches.push(
    ...missed.map((entry): Mismatch => {
      const verdict = observation.findings.find(
        ({ scenario }) => scenario === readKill(entry).scenario,
      )?.verdict;
      return {
        kind: 'missed',
        about: id,
        text: `${entry}: ${verdict === undefined ? 'was not played' : `now ${verdict}`}`,
      };
    }),
  );
  return [...mismatches, ...unmet(subject, found, suite)];
}

/** Requirements that a mutant breaks, and that none of their scenarios finds broken. */
function unmet({ id, breaks }: Subject, found: KillSet, { requirements }: Suite): readonly Mismatch[] {
  return breaks.flatMap((broken): readonly Mismatch[] => {
    const row = requirements.find((one) => one.id === broken);
    if (row === undefined)
      return [{ kind: 'stale', about: id, text: `breaks ${broken}, and there is no such requirement` }];
    const met = found
      .map((entry) => readKill(entry).scenario)
      .some((scenario) => requirementIdOf(scenario) === broken || row.coveredBy?.includes(scenario) === true);
    return met
      ? []
      : [{ kind: 'unmet', about: id, text: `breaks ${broken}, and no scenario of ${broken} says so` }];
  });
}

function scenariosWithoutKill(all: readonly Subject[], killSets: KillSets, suite: Suite): readonly string[] {
  const killing = new Set(
    all.filter(({ form }) => form === 'mutant').flatMap(({ id }) => (killSets[id] ?? []).map(withoutCount)),
  );
  return suite.scenarios.filter((id) => {
    const row = suite.requirements.find((one) => one.id === requirementIdOf(id));
    return row !== undefined && severityOf(row, id, false) === 'fail' && !killing.has(id);
  });
}

function vacuous(withoutKill: readonly string[], unkilled: Unkilled, suite: Suite): readonly Mismatch[] {
  const silent = withoutKill.filter((id) => (unkilled[id] ?? '').trim() === '');
  const stale = Object.keys(unkilled).filter((id) => !withoutKill.includes(id));
  return [
    ...silent.map((id): Mismatch => ({
      kind: 'vacuous',
      about: id,
      text: 'kills no mutant, and no reason is given',
    })),
    ...stale.map((id): Mismatch => ({
      kind: 'stale',
      about: id,
      text: suite.scenarios.includes(id)
        ? 'is listed as killing nothing, and it does not belong there'
        : 'is listed as killing nothing, and there is no such scenario',
    })),
  ];
}

function staleSets(all: readonly Subject[], killSets: KillSets, suite: Suite): readonly Mismatch[] {
  const strangers = Object.keys(killSets).filter((id) => !all.some((subject) => subject.id === id));
  return [
    ...strangers.map((id): Mismatch => ({
      kind: 'stale',
      about: id,
      text: 'has a kill set, and there is no such mutant or variant',
    })),
    ...Object.entries(killSets).flatMap(([id, entries]) =>
      entries
        .filter((entry) => !suite.scenarios.includes(readKill(entry).scenario))
        .map((entry): Mismatch => ({
          kind: 'stale',
          about: id,
          text: `its kill set names ${readKill(entry).scenario}, and there is no such scenario`,
        })),
    ),
  ];
}

function firstLine(reason: string | null): string {
  return reason?.split('\n')[0] ?? '';
}
