import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { ofSubject } from '../harness/mutants/compare.ts';
import type { Suite } from '../harness/mutants/compare.ts';
import { readKill, readExactKillSets } from '../harness/mutants/kill-sets.ts';
import type { KillSets } from '../harness/mutants/kill-sets.ts';
import { Laboratory } from '../harness/mutants/laboratory.ts';
import { loadAllSubjects } from '../harness/mutants/subject.ts';
import type { Subject } from '../harness/mutants/subject.ts';
import { EMBEDDED_ROLES } from '../harness/target/embedded.ts';
import { REQUIREMENTS, requirement } from './requirements/catalogue.ts';
import { SCENARIOS } from './scenarios.ts';

/** The mistakes that matter most, each with what the suite must say on one of the scenarios that catch it. */
const REPRESENTATIVE: readonly (readonly [id: string, scenario: RegExp, says: RegExp])[] = [
  ['M-RS-01', /^RS-FLD-/, /served/],
  ['M-RS-04', /^RS-SIG-/, /served/],
  ['M-RS-06', /^RS-HDR-7/, /served/],
  ['M-RS-10', /^RS-HDR-5/, /none.*served/i],
  ['M-RS-21', /^RS-EKM-5/, /served/],
  ['M-RS-25', /^RS-EKM-1$/, /RFC 9266|EXPORTER-Channel-Binding/],
  ['M-RS-42', /^RS-MTLS-/, /served/],
  ['M-RS-49', /^RS-PL-2/, /ath.*served/],
  ['M-RS-52', /^RS-PL-/, /iat.*served/],
  ['M-RS-58', /^RS-PL-7/, /jti|same proof/],
  ['M-RS-69', /^RS-CACHE-/, /served/],
  ['M-RS-78', /^RS-CACHE-/, /served/],
];

/** How many of the others are played, evenly spread over the catalogues: the same ones each time. */
const SPREAD = 6;
/** Of the scenarios that are not declared to find anything, every so many-th is played too. */
const SAMPLE = 12;

const subjects = await loadAllSubjects();
const killSets: KillSets = Object.assign(
  {},
  ...(await Promise.all(
    EMBEDDED_ROLES.map((role) =>
      readExactKillSets(fileURLToPath(new URL(`kill-sets/${role}.json`, import.meta.url))),
    ),
  )),
);
const suite: Suite = { scenarios: SCENARIOS.map(({ id }) => id), requirements: REQUIREMENTS };
const sample = suite.scenarios.filter((_id, index) => index % SAMPLE === 0);

const fixed = new Set(REPRESENTATIVE.map(([id]) => id));
const others = subjects.filter(({ id }) => !fixed.has(id));
const spread = Array.from(
  { length: SPREAD },
  (_, index) => others[Math.floor(((index + 0.5) * others.length) / SPREAD)],
).filter((one) => one !== undefined);

let laboratory: Laboratory;
beforeAll(async () => {
  laboratory = await Laboratory.open(SCENARIOS, requirement);
  return () => laboratory[Symbol.asyncDispose]();
});

/** Plays what is declared to find something, and a sample of the rest; whatever differs from what is declared fails the test. */
async function tried(subject: Subject, signal: AbortSignal) {
  const declared = killSets[subject.id] ?? [];
  const played = new Set([...declared.map((entry) => readKill(entry).scenario), ...sample]);
  const observation = await laboratory.observe(subject, signal, played);
  const mismatches = ofSubject(subject, observation, declared, suite);
  // How many findings each scenario has is compared by `npm run mutants`, where every scenario is played.
  const exact = mismatches.filter(({ kind }) => kind !== 'changed');
  expect(exact.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([]);
  return observation;
}

describe('a mistake that matters most', () => {
  test.each(REPRESENTATIVE)('%s is caught, and for its reason', async (id, scenario, says) => {
    const subject = subjects.find((one) => one.id === id);
    if (subject === undefined) throw new Error(`there is no ${id}`);
    const { findings } = await tried(subject, AbortSignal.timeout(25_000));
    const telling = findings.filter(
      (finding) => finding.verdict === 'fail' && scenario.test(finding.scenario),
    );
    expect(telling.map(({ reason, cause }) => `${reason ?? ''} ${cause ?? ''}`).join('\n')).toMatch(says);
  });
});

describe('mutants and harmless variants of every kind', () => {
  test.each(spread.map((subject) => [subject.id, subject] as const))('%s', async (_id, subject) => {
    const { findings } = await tried(subject, AbortSignal.timeout(25_000));
    expect(findings.length).toBeGreaterThan(0);
  });
});
