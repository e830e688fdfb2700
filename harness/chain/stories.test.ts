import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { EMBEDDED, FORMS, inForm } from '../target/embedded.ts';
import { loadManifest } from '../target/manifest.ts';
import type { Manifest } from '../target/manifest.ts';
import { startParties } from './parties.ts';
import type { ChainManifests } from './parties.ts';
import { tellStories } from './stories.ts';

const targets = (path: string): string => fileURLToPath(new URL(`../../targets/${path}`, import.meta.url));

const reference: ChainManifests = {
  authorizationServer: await loadManifest(EMBEDDED['authorization-server']),
  client: await loadManifest(EMBEDDED.client),
  intermediary: await loadManifest(EMBEDDED.intermediary),
  resourceServer: await loadManifest(EMBEDDED['resource-server']),
};

function mutant(role: keyof typeof FORMS, manifest: Manifest, id: string): Manifest {
  return inForm(manifest, 'mutant', FORMS[role].mutant?.module ?? '', id, id);
}

/** The steps that are not as they must be, with the threats that they belong to. */
async function broken(change: Partial<ChainManifests> = {}): Promise<readonly string[]> {
  await using parties = await startParties({ ...reference, ...change });
  const stories = await tellStories(parties);
  expect(stories.flatMap(({ steps }) => steps).length).toBeGreaterThan(15);
  return stories.flatMap(({ threat, steps }) =>
    steps
      .filter(({ holds }) => !holds)
      .map(({ who, does, outcome }) => `${threat}: ${who} ${does}: ${outcome}`),
  );
}

test('in the reference’s chain everybody is served, and no attacker', async () => {
  expect(await broken()).toEqual([]);
});

test.each([
  [
    'the shim for the sidecar',
    async () => ({ client: await loadManifest(targets('reference-client/shim.yaml')) }),
  ],
  [
    'processes for modules',
    async () => ({
      client: await loadManifest(targets('reference-client/sidecar-process.yaml')),
      resourceServer: await loadManifest(targets('reference/process.yaml')),
    }),
  ],
])('it holds with %s', async (_what, change) => {
  expect(await broken(await change())).toEqual([]);
});

test.each<[string, () => Partial<ChainManifests>, RegExp]>([
  [
    'a resource server that does not compare ekm',
    () => ({ resourceServer: mutant('resource-server', reference.resourceServer, 'M-RS-21') }),
    /T1, T3, T4: alice’s own machine sends token and captured proof to C on another connection: 200/,
  ],
  [
    'an intermediary that verifies no inbound proof',
    () => ({ intermediary: mutant('intermediary', reference.intermediary, 'M-CL-180') }),
    /T1, T3, T4: .* to B/,
  ],
  [
    'an authorization server that lets anybody exchange',
    () => ({
      authorizationServer: mutant('authorization-server', reference.authorizationServer, 'M-AS-20'),
    }),
    /T6: mallory exchanges alice’s token for C: a token was issued/,
  ],
])('%s is found out', async (_what, change, step) => {
  expect((await broken(change())).join('\n')).toMatch(step);
});

test('an authorization server that binds nothing leaves every hop open', async () => {
  const authorizationServer = await loadManifest(targets('reference-authorization-server/unextended.yaml'));
  const found = (await broken({ authorizationServer })).join('\n');
  expect(found).toMatch(/T2: mallory sends token and captured proof to C: 200/);
});
