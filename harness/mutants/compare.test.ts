import { expect, test } from 'vitest';
import type { Verdict } from '../scenario/record.ts';
import type { Requirement } from '../scenario/requirement.ts';
import { compare } from './compare.ts';
import type { Declared, Mismatch, Suite } from './compare.ts';
import type { Finding, Observation } from './observation.ts';
import type { Subject } from './subject.ts';

const manifest: Subject['manifest'] = {
  name: 'x',
  title: 'X',
  role: 'resource-server',
  start: { kind: 'module', module: '/x.ts' },
  capabilities: [],
  paths: { protected: '/' },
  knownFailures: {},
  file: null,
};

function subject(id: string, breaks: readonly string[] = []): Subject {
  return {
    id,
    form: id.startsWith('V') ? 'variant' : 'mutant',
    what: `is ${id}`,
    breaks,
    also: [],
    manifest,
  };
}

function finding(
  scenario: string,
  verdict: Verdict,
  attribution: Finding['attribution'] = 'target',
  found = 1,
): Finding {
  return { scenario, verdict, attribution, reason: `${scenario} says so\nat length`, found, cause: null };
}

function observation(of: string, ...findings: readonly Finding[]): Observation {
  return { subject: of, findings, durationMs: 1 };
}

function row(id: string, level: Requirement['level'] = 'MUST', more: Partial<Requirement> = {}): Requirement {
  return {
    id,
    role: 'resource-server',
    level,
    sections: '1',
    area: 'a',
    statement: 's',
    ambiguities: [],
    ...more,
  };
}

const suite: Suite = {
  scenarios: ['RS-A-1', 'RS-A-1.more', 'RS-B-1', 'RS-C-1'],
  requirements: [
    row('RS-A-1'),
    row('RS-B-1', 'SHOULD'),
    row('RS-C-1'),
    row('RS-D-1', 'MUST', { coveredBy: ['RS-A-1'] }),
  ],
};
const killer = subject('M-1', ['RS-A-1', 'RS-D-1']);
const other = subject('M-2', ['RS-C-1']);
const harmless = subject('V-1');
const all = [killer, other, harmless];
const declared: Declared = {
  killSets: { 'M-1': ['RS-A-1', 'RS-A-1.more', 'RS-B-1 warn'], 'M-2': ['RS-C-1'], 'V-1': ['RS-B-1 warn'] },
  unkilled: {},
};
const exact = [
  observation(
    'M-1',
    finding('RS-A-1', 'fail'),
    finding('RS-A-1.more', 'fail'),
    finding('RS-B-1', 'warn'),
    finding('RS-C-1', 'inconclusive'),
  ),
  observation('M-2', finding('RS-A-1', 'pass', null), finding('RS-C-1', 'fail')),
  observation('V-1', finding('RS-A-1', 'pass', null), finding('RS-B-1', 'warn')),
];

function mismatches(
  observations: readonly Observation[],
  from: Declared = declared,
  subjects: readonly Subject[] = all,
): readonly Pick<Mismatch, 'kind' | 'about'>[] {
  return compare(subjects, subjects, observations, from, suite).mismatches.map(({ kind, about }) => ({
    kind,
    about,
  }));
}

/** The exact observations with one replaced. */
function but(changed: Observation): readonly Observation[] {
  return exact.map((one) => (one.subject === changed.subject ? changed : one));
}

test('what is found exactly as declared is counted, what is inconclusive on a mutant too', () => {
  expect(compare(all, all, exact, declared, suite)).toEqual({
    mismatches: [],
    mutants: 2,
    killedExactly: 2,
    variants: 1,
    variantsClean: 1,
    withoutKill: [],
    inconclusive: 1,
  });
});

test('a scenario that fails without being declared is told with its reason', () => {
  const { mismatches: found, killedExactly } = compare(
    all,
    all,
    but(observation('M-2', finding('RS-A-1', 'fail'), finding('RS-C-1', 'fail'))),
    declared,
    suite,
  );
  expect(found).toEqual([{ kind: 'undeclared', about: 'M-2', text: 'RS-A-1: RS-A-1 says so' }]);
  expect(killedExactly).toBe(1);
});

test('a declared scenario that passes, that turns inconclusive or that was not played is missed', () => {
  for (const left of [[finding('RS-A-1.more', 'pass', null)], [finding('RS-A-1.more', 'inconclusive')], []]) {
    expect(
      mismatches(but(observation('M-1', finding('RS-A-1', 'fail'), finding('RS-B-1', 'warn'), ...left))),
    ).toEqual([{ kind: 'missed', about: 'M-1' }]);
  }
});

test('a verdict of another gravity than declared is both undeclared and missed', () => {
  const found = mismatches(
    but(
      observation(
        'M-1',
        finding('RS-A-1', 'fail'),
        finding('RS-A-1.more', 'fail'),
        finding('RS-B-1', 'fail'),
      ),
    ),
  );
  expect(found).toEqual([
    { kind: 'undeclared', about: 'M-1' },
    { kind: 'missed', about: 'M-1' },
  ]);
});

test('a scenario that finds more or less than declared is told, and counts as a kill all the same', () => {
  const killSets = { ...declared.killSets, 'M-2': ['RS-C-1 ×3'] };
  for (const [found, now] of [
    [1, 'RS-C-1'],
    [4, 'RS-C-1 ×4'],
  ] as const) {
    const observations = but(observation('M-2', finding('RS-C-1', 'fail', 'target', found)));
    const { mismatches: told, withoutKill } = compare(
      all,
      all,
      observations,
      { killSets, unkilled: {} },
      suite,
    );
    expect(told).toEqual([{ kind: 'changed', about: 'M-2', text: `RS-C-1 ×3 is declared, ${now} is found` }]);
    expect(withoutKill).toEqual([]);
  }
  const exactly = but(observation('M-2', finding('RS-C-1', 'fail', 'target', 3)));
  expect(mismatches(exactly, { killSets, unkilled: {} })).toEqual([]);
});

test('a mutant that nothing catches is a survivor, even where that is what is declared', () => {
  const survived = but(observation('M-2', finding('RS-C-1', 'inconclusive')));
  expect(
    mismatches(survived, {
      ...declared,
      killSets: { ...declared.killSets, 'M-2': [] },
      unkilled: { 'RS-C-1': 'a reason' },
    }),
  ).toEqual([
    { kind: 'survivor', about: 'M-2' },
    { kind: 'unmet', about: 'M-2' },
  ]);
});

test('a requirement that a mutant breaks has to be found broken by a scenario of its own or one that covers it', () => {
  const strict = [subject('M-1', ['RS-A-1', 'RS-C-1']), other, harmless];
  expect(mismatches(exact, declared, strict)).toEqual([{ kind: 'unmet', about: 'M-1' }]);
  expect(mismatches(exact, declared, [subject('M-1', ['RS-Z-1']), other, harmless])).toEqual([
    { kind: 'stale', about: 'M-1' },
  ]);
});

test('a harmless variant that fails or cannot be judged is wronged, declared or not', () => {
  for (const verdict of ['fail', 'inconclusive'] as const) {
    const wronged = but(observation('V-1', finding('RS-B-1', 'warn'), finding('RS-C-1', verdict)));
    const entry = verdict === 'fail' ? 'RS-C-1' : 'RS-C-1 inconclusive';
    expect(
      mismatches(wronged, { ...declared, killSets: { ...declared.killSets, 'V-1': ['RS-B-1 warn', entry] } }),
    ).toEqual([{ kind: 'wronged', about: 'V-1' }]);
  }
});

test('a variant on which something does not apply any more, or applies newly, is told', () => {
  expect(
    mismatches(but(observation('V-1', finding('RS-B-1', 'warn'), finding('RS-C-1', 'not-applicable')))),
  ).toEqual([{ kind: 'undeclared', about: 'V-1' }]);
  expect(mismatches(but(observation('V-1', finding('RS-B-1', 'pass', null))))).toEqual([
    { kind: 'missed', about: 'V-1' },
  ]);
});

test('what could not be tried, left nothing behind or hit a fault of the harness is told', () => {
  expect(mismatches(but({ ...observation('M-2'), problem: 'died' }))).toEqual([
    { kind: 'not-tried', about: 'M-2' },
  ]);
  expect(mismatches(exact.slice(1))).toEqual([{ kind: 'not-tried', about: 'M-1' }]);
  expect(
    mismatches(
      but(observation('M-2', finding('RS-C-1', 'fail'), finding('RS-A-1', 'inconclusive', 'harness'))),
    ),
  ).toEqual([{ kind: 'harness-fault', about: 'M-2' }]);
});

test('a scenario that means a failure kills a mutant, or is listed with a reason', () => {
  const killSets = { ...declared.killSets, 'M-2': ['RS-A-1'] };
  const observations = but(observation('M-2', finding('RS-A-1', 'fail')));
  const subjects = [killer, subject('M-2', ['RS-A-1']), harmless];
  expect(mismatches(observations, { killSets, unkilled: {} }, subjects)).toEqual([
    { kind: 'vacuous', about: 'RS-C-1' },
  ]);
  expect(mismatches(observations, { killSets, unkilled: { 'RS-C-1': ' ' } }, subjects)).toEqual([
    { kind: 'vacuous', about: 'RS-C-1' },
  ]);
  const listed = compare(
    subjects,
    subjects,
    observations,
    { killSets, unkilled: { 'RS-C-1': 'needs a broken clock' } },
    suite,
  );
  expect(listed.mismatches).toEqual([]);
  expect(listed.withoutKill).toEqual([{ scenario: 'RS-C-1', reason: 'needs a broken clock' }]);
});

test('a kill on a harmless variant, or by a warning, does not save a scenario from being vacuous', () => {
  const killSets = { ...declared.killSets, 'M-2': ['RS-C-1 warn'], 'V-1': ['RS-B-1 warn', 'RS-C-1'] };
  expect(
    compare([], all, [], { killSets, unkilled: {} }, suite).mismatches.map(
      ({ kind, about }) => `${kind} ${about}`,
    ),
  ).toEqual(['vacuous RS-C-1']);
});

test('entries about what there is not are stale', () => {
  const stale: Declared = {
    killSets: { ...declared.killSets, 'M-9': ['RS-A-1'], 'M-2': ['RS-C-1', 'RS-Y-1'] },
    unkilled: { 'RS-C-1': 'kills M-2 all the same', 'RS-X-1': 'gone' },
  };
  expect(compare([], all, [], stale, suite).mismatches.map(({ kind, about }) => `${kind} ${about}`)).toEqual([
    'stale M-9',
    'stale M-2',
    'stale RS-C-1',
    'stale RS-X-1',
  ]);
});
