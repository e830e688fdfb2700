import { expect, test } from 'vitest';
import {
  AXES,
  CORE,
  EVERY_TRANSPORT,
  EVERYTHING,
  parsePermutation,
  permutations,
  permutationText,
} from './permutation.ts';

test('the core profile takes the core permutation where it is allowed', () => {
  expect(permutations({}, 'core')).toEqual([CORE]);
  expect(permutations(EVERYTHING, 'core')).toEqual([CORE]);
});

test('the core profile takes the first allowed value of a pinned axis', () => {
  expect(permutations({ tls: ['TLSv1.2'], http: ['h2'] }, 'core')).toEqual([
    { tls: 'TLSv1.2', http: 'h2', key: 'P-256' },
  ]);
});

test('the full profile takes every combination of the axes that matter, and no other', () => {
  expect(permutations(EVERYTHING, 'full')).toHaveLength(2 * 2 * 5);
  expect(permutations({ key: AXES.key }, 'full').map((one) => one.key)).toEqual(AXES.key);
  expect(permutations({}, 'full')).toEqual([CORE]);
});

test('a permutation is read as it is written', () => {
  for (const one of permutations(EVERYTHING, 'full'))
    expect(parsePermutation(permutationText(one))).toEqual(one);
});

test.each(['', 'TLSv1.3', 'TLSv1.3 h2', 'TLSv1.1 h2 RSA', 'TLSv1.3 h2 RSA extra', 'TLSv1.3 spdy P-256'])(
  '%j is no permutation',
  (text) => {
    expect(parsePermutation(text)).toBeUndefined();
  },
);

test('where an axis leaves the choice, a value is chosen that the target claims', () => {
  const h2Only = new Set(['tls1.2', 'h2']);
  expect(permutations({}, 'core', h2Only)).toEqual([{ tls: 'TLSv1.2', http: 'h2', key: 'P-256' }]);
  expect(permutations({ key: AXES.key }, 'full', h2Only).map((one) => one.http)).toEqual(Array(5).fill('h2'));
  expect(permutations({ http: AXES.http }, 'core', h2Only)[0]?.http).toBe('h2');
});

test('an axis that is pinned stays pinned, claimed or not', () => {
  expect(permutations({ tls: ['TLSv1.3'] }, 'core', new Set(['tls1.2', 'h2']))[0]?.tls).toBe('TLSv1.3');
});

test('a permutation is written TLS, HTTP, key', () => {
  expect(permutationText(CORE)).toBe('TLSv1.3 http/1.1 P-256');
  expect(parsePermutation('  TLSv1.2\th2   Ed25519 ')).toEqual({
    tls: 'TLSv1.2',
    http: 'h2',
    key: 'Ed25519',
  });
});

test('every transport is every TLS version with every HTTP version, the core one first', () => {
  expect(permutations(EVERY_TRANSPORT, 'full').map(permutationText)).toEqual([
    'TLSv1.3 http/1.1 P-256',
    'TLSv1.3 h2 P-256',
    'TLSv1.2 http/1.1 P-256',
    'TLSv1.2 h2 P-256',
  ]);
});

test('an axis of two values is a choice, in the core profile', () => {
  expect(permutations({ key: ['RSA', 'P-256'] }, 'core')[0]?.key).toBe('P-256');
  expect(permutations({ key: ['RSA', 'P-384'] }, 'core')[0]?.key).toBe('RSA');
  expect(permutations({ tls: AXES.tls }, 'core', new Set(['tls1.2', 'http/1.1']))[0]?.tls).toBe('TLSv1.2');
});

test('a target that claims nothing is asked in the usual way; whether it speaks that is found out later', () => {
  expect(permutations({}, 'core', new Set())).toEqual([CORE]);
  expect(permutations({}, 'core', new Set(['tls1.3', 'http/1.1']))).toEqual([CORE]);
});
