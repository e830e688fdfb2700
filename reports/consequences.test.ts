import { expect, test } from 'vitest';
import { consequenceOf, consequencesOf } from './consequences.ts';

test.each([
  ['RS-EKM-5', 'attack', /another connection/],
  ['RS-EKM-15', 'outage', /honest clients/],
  ['RS-EKM-1', 'attack', /another connection/],
  ['RS-SIG-1', 'attack', /forge a proof/],
  ['RS-SIG-3', 'attack', /key does not warrant/],
  ['RS-HDR-5', 'attack', /forge a proof/],
  ['RS-PL-2', 'attack', /one token authorises another/],
  ['RS-PL-17', 'attack', /disturbs the service/],
  ['RS-PL-11', 'attack', /method or path/],
  ['RS-ERR-2', 'outage', /recover/],
  ['RS-ERR-6', 'attack', /takes effect/],
  ['RS-CACHE-9', 'attack', /without any proof/],
  ['RS-CACHE-2', 'attack', /ride on that decision/],
  ['CL-EKM-4', 'attack', /protect nothing/],
  ['AS-TX-8', 'attack', /exchanged/],
  ['XX-1', 'attack', /does not hold/],
] as const)('%s', (id, kind, sentence) => {
  const consequence = consequenceOf(id);
  expect(consequence.kind).toBe(kind);
  expect(consequence.sentence).toMatch(sentence);
});

const AREAS =
  'EKM MTLS HDR SIG PL FLD CNF INT TOK ERR CACHE MUX DPOP FWD QUIC TLS T1 T2 T3 T4 T5 INTRA RELAY COMB';

test.each(AREAS.split(' '))('the area RS-%s has a consequence of its own', (area) => {
  const id = /\d$/.test(area) ? `RS-${area}` : `RS-${area}-99`;
  expect(consequenceOf(id)).not.toBe(consequenceOf('XX-1'));
});

test('says each consequence once, gravest first', () => {
  const found = consequencesOf([
    { requirement: 'RS-ERR-2' },
    { requirement: 'RS-EKM-5' },
    { requirement: 'RS-SIG-1' },
    { requirement: 'RS-T1' },
  ]);
  expect(found.map(({ from }) => from.map(({ requirement }) => requirement))).toEqual([
    ['RS-SIG-1'],
    ['RS-EKM-5', 'RS-T1'],
    ['RS-ERR-2'],
  ]);
});
