import { expect, test } from 'vitest';
import { EVERY_TRANSPORT } from '../scenario/permutation.ts';
import { clientSuite } from '../scenario/client/client-scenario.ts';
import { suite } from '../scenario/scenario.ts';
import { UsageError } from '../usage-error.ts';
import { casesOf, select, WHOLE_CORE } from './selection.ts';
import type { Selection } from './selection.ts';

const run = async (): Promise<void> => undefined;
const all = [
  ...suite('resource-server', 'exporter', [
    { id: 'RS-EKM-1', title: 'a', run },
    { id: 'RS-EKM-12', title: 'b', across: EVERY_TRANSPORT, run },
  ]),
  ...clientSuite('proofs', [{ id: 'CL-HDR-1.x', title: 'c', run }]),
];
const ids = (selection: Partial<Selection>): readonly string[] =>
  select(all, { ...WHOLE_CORE, ...selection }).map((one) => one.id);

test.each<[string, Partial<Selection>, readonly string[]]>([
  ['nothing chosen is everything', {}, ['RS-EKM-1', 'RS-EKM-12', 'CL-HDR-1.x']],
  ['a role', { role: 'client' }, ['CL-HDR-1.x']],
  ['a suite', { suites: ['exporter'] }, ['RS-EKM-1', 'RS-EKM-12']],
  ['a glob is anchored', { scenarios: ['RS-EKM-1'] }, ['RS-EKM-1']],
  ['a star', { scenarios: ['RS-EKM-1*'] }, ['RS-EKM-1', 'RS-EKM-12']],
  ['a dot is a dot', { scenarios: ['CL-HDR-1.?'] }, ['CL-HDR-1.x']],
  ['several globs', { scenarios: ['RS-EKM-12', 'CL-*'] }, ['RS-EKM-12', 'CL-HDR-1.x']],
  ['a requirement takes its suffixed scenarios', { requirements: ['CL-HDR-1'] }, ['CL-HDR-1.x']],
])('%s', (_what, selection, expected) => {
  expect(ids(selection)).toEqual(expected);
});

test.each<[string, Partial<Selection>, RegExp]>([
  ['a suite', { suites: ['exportre'] }, /--suite: "exportre" matches nothing\n.*Did you mean exporter\?/],
  ['a glob', { scenarios: ['XX-*'] }, /--scenario: "XX-\*" matches nothing/],
  ['one of several globs', { scenarios: ['RS-*', 'XX-*'] }, /XX/],
  ['a requirement', { requirements: ['RS-EKM-2'] }, /--requirement/],
  ['a combination', { role: 'client', suites: ['exporter'] }, /together/],
])('%s that matches nothing is a mistake', (_what, selection, message) => {
  expect(() => ids(selection)).toThrow(UsageError);
  expect(() => ids(selection)).toThrow(message);
});

test('the profile decides over permutations, and one permutation can be asked for', () => {
  expect(casesOf(all, WHOLE_CORE)).toHaveLength(3);
  expect(casesOf(all, { ...WHOLE_CORE, profile: 'full' })).toHaveLength(6);
  const one = { tls: 'TLSv1.2', http: 'h2', key: 'P-256' } as const;
  expect(casesOf(all, { ...WHOLE_CORE, permutation: one })).toEqual([
    { scenario: 'RS-EKM-12', permutation: one },
  ]);
});
