import { expect, test } from 'vitest';
import { requirementIdOf, severityOf } from './requirement.ts';
import type { Requirement } from './requirement.ts';
import type { Level } from './record.ts';

function row(level: Level, severity?: Requirement['severity']): Requirement {
  return {
    id: 'RS-X-1',
    role: 'resource-server',
    level,
    sections: '1',
    area: 'a',
    statement: 's',
    ambiguities: [],
    ...(severity && { severity }),
  };
}

test.each<[Level, string]>([
  ['MUST', 'fail'],
  ['MUST NOT', 'fail'],
  ['SECURITY', 'fail'],
  ['SHOULD', 'warn'],
  ['MAY', 'info'],
  ['AMBIGUOUS', 'info'],
])('a %s that does not hold is a %s', (level, severity) => {
  expect(severityOf(row(level), 'RS-X-1', false)).toBe(severity);
});

test('the row can grade one of its scenarios otherwise', () => {
  const graded = row('MUST', { 'RS-X-1.lenient': 'warn' });
  expect(severityOf(graded, 'RS-X-1.lenient', false)).toBe('warn');
  expect(severityOf(graded, 'RS-X-1', false)).toBe('fail');
});

test('the strict profile turns warnings into failures and leaves observations alone', () => {
  expect(severityOf(row('SHOULD'), 'RS-X-1', true)).toBe('fail');
  expect(severityOf(row('AMBIGUOUS'), 'RS-X-1', true)).toBe('info');
});

test('a scenario belongs to the requirement before the dot', () => {
  expect(requirementIdOf('RS-HDR-1')).toBe('RS-HDR-1');
  expect(requirementIdOf('RS-HDR-1.untyped')).toBe('RS-HDR-1');
});

test('the strict profile takes a warning that the row asks for as a failure too', () => {
  expect(severityOf(row('MUST', { 'RS-X-1.lenient': 'warn' }), 'RS-X-1.lenient', true)).toBe('fail');
  expect(severityOf(row('MUST', { 'RS-X-1.open': 'info' }), 'RS-X-1.open', true)).toBe('info');
});
