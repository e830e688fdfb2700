import { judge } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { permutationText } from '../permutation.ts';
import type { Measurement, ProofTally, ResultRecord } from '../record.ts';
import { requirementIdOf, severityOf } from '../requirement.ts';
import type { Requirement, Severity } from '../requirement.ts';
import type { Scenario } from '../scenario.ts';
import { addedUp } from './proof-tally.ts';

/**
 * Some mistakes show in one proof of many, such as an ECDSA signature whose R or S begins with a zero octet: a single
 * scenario sees too few. So the form of every proof that arrives in a run is judged, once, by the scenarios that say so.
 */

/** What a run came to, and what is needed to judge it. */
export interface RunOfProofs {
  readonly results: readonly ResultRecord[];
  /** The results with their tallies, which `results` need not have any more. */
  readonly tallied: readonly ResultRecord[];
  readonly scenarios: readonly Scenario[];
  /** The catalogue's row of an id. */
  readonly requirement: (id: string) => Requirement;
  readonly strict: boolean;
}

/** Ids of the scenarios whose verdict rests on the whole run. */
export function judgesOfEveryProof(scenarios: readonly Scenario[]): ReadonlySet<string> {
  return new Set(
    scenarios.flatMap((scenario) =>
      scenario.role === 'client' && scenario.judgesEveryProof ? [scenario.id] : [],
    ),
  );
}

/** @returns the results, in their order, those of the scenarios that judge every proof completed */
export function everyProofJudged(run: RunOfProofs): readonly ResultRecord[] {
  const judges = judgesOfEveryProof(run.scenarios);
  const order = new Map(run.scenarios.map(({ id }, index) => [id, index]));
  const place = ({ scenario }: ResultRecord): number => order.get(scenario) ?? order.size;
  return run.results.map((result) => {
    if (!judges.has(result.scenario)) return result;
    // Which scenario ended first is chance; which is named first must not be.
    const own = run.tallied
      .filter(({ target }) => target === result.target)
      .toSorted(
        (a, b) =>
          place(a) - place(b) ||
          permutationText(a.permutation).localeCompare(permutationText(b.permutation), 'en'),
      );
    const row = run.requirement(requirementIdOf(result.scenario));
    return completed(result, own, severityOf(row, result.scenario, run.strict));
  });
}

/**
 * The share of malformed proofs that so many well-formed ones exclude with 99 % confidence: with a share of p, all of n
 * are well-formed with probability (1 - p)^n.
 */
export function excludedRate(examined: number): number {
  return 1 - 0.01 ** (1 / Math.max(1, examined));
}

/** A scenario's part of the proofs of a run. */
interface Part {
  readonly scenario: string;
  readonly examined: number;
  /** Of its malformed proofs, those that are judged here. */
  readonly malformed: ProofTally['malformed'];
}

function completed(result: ResultRecord, tallied: readonly ResultRecord[], severity: Severity): ResultRecord {
  const parts = partsOf(tallied);
  const examined = parts.reduce((sum, part) => sum + part.examined, 0);
  // Without a single proof the scenario's own verdict says why there is none.
  if (examined === 0) return result;
  const sample = `${examined} proofs from ${new Set(parts.map(({ scenario }) => scenario)).size} scenarios`;
  const bad = parts.filter(({ malformed }) => malformed.length > 0);
  const looked = { what: 'proofs whose form was examined in the whole run', value: examined, unit: '' };
  if (bad.length === 0) {
    const rate = excludedRate(examined);
    const note = `${sample} were examined, and all are well-formed: with 99 % confidence, fewer than ${(rate * 100).toPrecision(2)} % of this client's proofs are malformed.`;
    const excluded = {
      what: 'a malformed proof in so many would have shown in the whole run with 99 % confidence',
      value: Math.floor(1 / rate),
      unit: '',
    };
    return withEvidence(result, [note], [looked, excluded]);
  }
  const { findings: _own, ...rest } = result;
  const elsewhere = bad.some(({ scenario }) => scenario === result.scenario)
    ? {}
    : { repeatWith: bad.slice(0, 1).map(({ scenario }) => scenario) };
  const count = bad.reduce((sum, { malformed }) => sum + malformed.length, 0);
  const notes = bad.flatMap(({ scenario, malformed }) =>
    malformed.map(({ where, what }) => `${scenario}: ${where}: ${what}`),
  );
  const judgement = judge([findingOf(bad, count, sample, severity)], undefined);
  const judged = { ...rest, ...judgement, ...elsewhere };
  return withEvidence(judged, notes, [
    looked,
    { what: 'malformed proofs in the whole run', value: count, unit: '' },
  ]);
}

/**
 * A value that is malformed in every proof is the mistake of that value, which has a requirement of its own; one that is
 * malformed in some shows here.
 */
function partsOf(tallied: readonly ResultRecord[]): readonly Part[] {
  const { wellFormed } = addedUp(tallied.flatMap(({ proofs }) => proofs ?? []));
  return tallied.flatMap(({ scenario, proofs }) => {
    if (proofs === undefined || proofs.examined === 0) return [];
    const malformed = proofs.malformed.filter(({ part }) => part === 'serialization' || wellFormed[part] > 0);
    return [{ scenario, examined: proofs.examined, malformed }];
  });
}

/** How many scenarios with a malformed proof are named in the finding, and how many proofs in the notes. */
const MOST_NAMED = 3;
const MOST_NOTES = 20;

/** One finding, however many proofs are malformed: how many there are in a run may be chance. */
function findingOf(bad: readonly Part[], count: number, sample: string, severity: Severity): Finding {
  const names = [...new Set(bad.map(({ scenario }) => scenario))];
  const named = names.slice(0, MOST_NAMED).map((name) => {
    const example = bad.find(({ scenario }) => scenario === name)?.malformed[0];
    return `${name} (${example?.where}: ${example?.what})`;
  });
  const more = names.length - named.length;
  const others = more === 0 ? '' : `; and in ${more} more scenario${more === 1 ? '' : 's'}`;
  const cures = new Set(bad.flatMap(({ malformed }) => malformed.flatMap(({ cure }) => cure ?? [])));
  return {
    severity,
    reason: `${count} of ${sample} ${count === 1 ? 'is' : 'are'} malformed, in ${named.join('; ')}${others}`,
    cause: cures.size === 0 ? null : [...cures].join('\n'),
    deviation: 'defect',
    attribution: 'target',
  };
}

function withEvidence(
  result: ResultRecord,
  notes: readonly string[],
  measurements: readonly Measurement[],
): ResultRecord {
  const { evidence } = result;
  return {
    ...result,
    evidence: {
      ...evidence,
      notes: [...evidence.notes, ...notes.slice(0, MOST_NOTES)],
      measurements: [...(evidence.measurements ?? []), ...measurements],
    },
  };
}
