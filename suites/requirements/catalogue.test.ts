import { expect, test } from 'vitest';
import { requirementIdOf } from '../../harness/scenario/requirement.ts';
import { SCENARIOS } from '../scenarios.ts';
import { AMBIGUITIES, REQUIREMENTS } from './catalogue.ts';
import { coverage } from './coverage.ts';

test('every requirement leads to a scenario or to a reason why not, never to both', () => {
  const lost = coverage().filter((row) => row.scenarios.length === 0 && (row.untested ?? '').trim() === '');
  expect(lost.map((row) => row.id)).toEqual([]);
  const both = coverage().filter((row) => row.scenarios.length > 0 && row.untested !== undefined);
  expect(both.map((row) => row.id)).toEqual([]);
});

test('every scenario belongs to a requirement of its role', () => {
  const rows = new Map(REQUIREMENTS.map((row) => [row.id, row]));
  const strays = SCENARIOS.filter(
    (scenario) => rows.get(requirementIdOf(scenario.id))?.role !== scenario.role,
  );
  expect(strays.map((scenario) => scenario.id)).toEqual([]);
});

test('ids of requirements, scenarios and ambiguities are unique', () => {
  for (const ids of [
    REQUIREMENTS.map((row) => row.id),
    SCENARIOS.map((scenario) => scenario.id),
    AMBIGUITIES.map((entry) => entry.id),
  ]) {
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  }
});

test('what a row says of scenarios and ambiguities exists', () => {
  const scenarios = new Set(SCENARIOS.map((scenario) => scenario.id));
  const ambiguities = new Set(AMBIGUITIES.map((entry) => entry.id));
  for (const row of REQUIREMENTS) {
    expect(
      Object.keys(row.severity ?? {}).filter((id) => !scenarios.has(id) || requirementIdOf(id) !== row.id),
      row.id,
    ).toEqual([]);
    expect(
      (row.coveredBy ?? []).filter((id) => !scenarios.has(id)),
      row.id,
    ).toEqual([]);
    expect(
      row.ambiguities.filter((id) => !ambiguities.has(id)),
      row.id,
    ).toEqual([]);
  }
});

test('every scenario is titled by a statement that reads on after its role', () => {
  const odd = SCENARIOS.filter(
    (scenario) => !/^[a-z].{15,}[^.]$/.test(scenario.title) || scenario.title.length > 160,
  );
  expect(odd.map((scenario) => `${scenario.id} ${scenario.title}`)).toEqual([]);
});
