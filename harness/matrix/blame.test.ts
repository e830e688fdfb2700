import { expect, test } from 'vitest';
import { blame } from './blame.ts';
import type { Cell, JourneyOutcome, MatrixParty } from './record.ts';

const party = (name: string): MatrixParty => ({
  name,
  title: name,
  startedAs: 'process',
  reference: name.startsWith('reference'),
});

const clients = [party('reference-client'), party('c')];
const servers = [party('reference-server'), party('s')];

function cell(client: string, server: string, outcome: JourneyOutcome): Cell {
  return {
    client,
    server,
    journeys: [{ journey: 'reuse', title: 'Reuse', outcome, because: '', steps: [] }],
    traffic: { connections: 0, resumed: 0, tls: [], sent: 0, received: 0 },
    durationMs: 0,
  };
}

/** On whom a failure of c and s is, by what c does with the reference server and s with the reference client. */
function blamed(withServer: JourneyOutcome | null, withClient: JourneyOutcome | null): string | undefined {
  const cells = [
    ...(withServer === null ? [] : [cell('c', 'reference-server', withServer)]),
    ...(withClient === null ? [] : [cell('reference-client', 's', withClient)]),
    cell('c', 's', 'fail'),
  ];
  return blame(cells, clients, servers).find((one) => one.client === 'c' && one.server === 's')?.journeys[0]
    ?.blame?.on;
}

test.each<[JourneyOutcome | null, JourneyOutcome | null, string]>([
  ['fail', 'pass', 'client'],
  ['pass', 'fail', 'server'],
  ['fail', 'fail', 'both'],
  ['pass', 'pass', 'pair'],
  ['not-applicable', 'fail', 'server'],
  ['fail', null, 'client'],
  [null, null, 'pair'],
])('with the reference server %s, with the reference client %s: %s', (server, client, on) => {
  expect(blamed(server, client)).toBe(on);
});

test('what fails with the reference is the other side’s, and what works is nobody’s', () => {
  const cells = [
    cell('reference-client', 's', 'fail'),
    cell('c', 'reference-server', 'fail'),
    cell('reference-client', 'reference-server', 'fail'),
    cell('c', 's', 'pass'),
  ];
  const on = blame(cells, clients, servers).map(({ journeys: [result] }) => result?.blame?.on);
  expect(on).toEqual(['server', 'client', 'both', undefined]);
});
