import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Laboratory } from '../harness/mutants/laboratory.ts';
import type { Verdict } from '../harness/scenario/record.ts';
import { loadManifest } from '../harness/target/manifest.ts';
import { requirement } from './requirements/catalogue.ts';
import { SCENARIOS } from './scenarios.ts';

const MANIFEST = new URL('../targets/reference-authorization-server/unextended.yaml', import.meta.url);

/**
 * What the suite says of the authorization server without the draft: RFC 8705, RFC 7662, RFC 8693 and RFC 9449 as in the
 * reference, and clients that are registered for session-bound tokens get others.
 */
const EXPECTED: Readonly<Partial<Record<Verdict, readonly string[]>>> = {
  // §2.4, §3.2: tokens of a client that is registered for it are session-bound, whatever the grant.
  fail: [
    'AS-CNF-1',
    'AS-CNF-2',
    'AS-CNF-3',
    'AS-CNF-3.reopened',
    'AS-CNF-3.resumed',
    'AS-CNF-4',
    'AS-CNF-5',
    'AS-CNF-6',
    'AS-CNF-6.dpop',
    'AS-CNF-6.dpop-exchange',
    'AS-GRANT-1',
    'AS-GRANT-2',
    'AS-INT-1',
    'AS-INT-4',
    'AS-REG-1',
    'AS-REG-1.exchange',
    'AS-REG-3',
    'AS-REG-4',
    'AS-REG-5',
    // Who has the secret of a client, and not its key, exchanges a token that should have been bound to the key.
    'AS-T6-1.secret',
  ],
  // It has never heard of the typ of a proof.
  warn: ['AS-TX-7.typed'],
  info: ['AS-REG-6'],
  // No token is session-bound, so that no exchange passes a binding on, or loses one. Nor does it sign introspection responses.
  'not-applicable': [
    'AS-INT-1.signed',
    'AS-TX-1',
    'AS-TX-1.dpop',
    'AS-TX-2',
    'AS-TX-3',
    'AS-TX-8',
    'AS-TX-8.refresh',
  ],
  // What the older RFCs ask for: introspection, exchange, and that nobody exchanges what is not theirs.
  pass: [
    'AS-CNF-6.wrong-dpop',
    'AS-INT-2',
    'AS-INT-3',
    'AS-META-1',
    'AS-REG-2',
    'AS-SEC-1',
    'AS-T6-1',
    'AS-T6-1.opaque',
    'AS-T6-2',
    'AS-T6-3',
    'AS-T6-3.introspection',
    'AS-TX-4',
    'AS-TX-4.actor',
    'AS-TX-4.expired',
    'AS-TX-4.expired-actor',
    'AS-TX-4.issuer',
    'AS-TX-4.malformed',
    'AS-TX-4.unknown-types',
    'AS-TX-7',
    'AS-TX-7.actor',
    'AS-TX-7.assertion',
    'AS-TX-8.dpop',
    'AS-TYPE-1',
  ],
};

const collator = new Intl.Collator('en', { numeric: true });

test('an authorization server without the draft fails what the draft adds, passes the rest, and leaves nothing open', async () => {
  const manifest = await loadManifest(fileURLToPath(MANIFEST));
  await using laboratory = await Laboratory.open(SCENARIOS, requirement);
  const { findings, problem } = await laboratory.observe({
    id: manifest.name,
    also: [],
    manifest,
  });
  expect(problem).toBeUndefined();
  const found: Partial<Record<Verdict, string[]>> = {};
  for (const { scenario, verdict } of findings.toSorted((a, b) => collator.compare(a.scenario, b.scenario)))
    (found[verdict] ??= []).push(scenario);
  expect(found).toEqual(EXPECTED);
});

test('what it fails has the missing binding for its cause, and says so where a thief gains by it', async () => {
  const manifest = await loadManifest(fileURLToPath(MANIFEST));
  await using laboratory = await Laboratory.open(SCENARIOS, requirement);
  const subject = { id: manifest.name, form: 'variant', what: '', breaks: [], also: [], manifest } as const;
  const only = new Set(['AS-T6-1.secret', 'AS-TX-8', 'AS-CNF-6.dpop']);
  const { findings } = await laboratory.observe(subject, undefined, only);
  const told = new Map(findings.map(({ scenario, reason, cause }) => [scenario, `${reason} ${cause}`]));
  expect(told.get('AS-T6-1.secret')).toMatch(/with the secret.*answered 200 with access_token.*AS-REG-1/s);
  expect(told.get('AS-TX-8')).toMatch(/not session-bound.*AS-REG-1.*no binding/);
  expect(told.get('AS-CNF-6.dpop')).toMatch(/without a DPoP proof.*not session-bound/);
});
