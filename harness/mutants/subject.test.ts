import { expect, test } from 'vitest';
import { EMBEDDED } from '../target/embedded.ts';
import { loadManifest } from '../target/manifest.ts';
import { deal } from './matrix-project.ts';
import { loadSubjects } from './subject.ts';

const subjects = await loadSubjects('resource-server');

test('mutants break something and variants nothing; each says in words what it is', () => {
  expect(subjects.filter(({ form }) => form === 'mutant').length).toBeGreaterThan(100);
  expect(subjects.filter(({ form }) => form === 'variant').length).toBeGreaterThan(20);
  expect(subjects.filter(({ what }) => what === '')).toEqual([]);
  expect(subjects.filter(({ form, breaks }) => (form === 'mutant') !== breaks.length > 0)).toEqual([]);
});

test('a subject is started from its catalogue’s module, with the reference’s capabilities but for its own', async () => {
  const { capabilities } = await loadManifest(EMBEDDED['resource-server']);
  const of = (id: string) => subjects.find((one) => one.id === id)?.manifest;
  expect(of('M-RS-21')).toMatchObject({
    name: 'm-rs-21',
    start: { kind: 'module', variant: 'M-RS-21' },
    capabilities,
  });
  expect(of('V-RS-no-h2')?.capabilities).toEqual(capabilities.filter((name) => name !== 'h2'));
  expect(of('V-RS-binding-required')?.capabilities).toEqual([...capabilities, 'binding-required']);
});

test('subjects are dealt out evenly, each once', () => {
  const hands = deal(subjects, 7).map((part) => part.subjects);
  expect(
    hands
      .flat()
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual(subjects.map(({ id }) => id).toSorted());
  expect(
    Math.max(...hands.map((hand) => hand.length)) - Math.min(...hands.map((hand) => hand.length)),
  ).toBeLessThanOrEqual(1);
  expect(deal(subjects.slice(0, 2), 7)).toHaveLength(2);
});
