import { expect, test } from 'vitest';
import { nearMiss } from './near-miss.ts';

test.each([
  ['capabilites', 'capabilities'],
  ['http1.1', 'http/1.1'],
  ['HTTP2', undefined],
  ['TLS_1.3', 'tls1.3'],
  ['ehco', 'echo'],
  ['x', undefined],
  ['', undefined],
])('%s is near %s', (typed, meant) => {
  expect(nearMiss(typed, ['capabilities', 'http/1.1', 'h2', 'tls1.3', 'echo'])).toBe(meant);
});

test('a very long word is near nothing, and quickly so', () => {
  expect(nearMiss('a'.repeat(1_000_000), ['a'.repeat(64)])).toBeUndefined();
});
