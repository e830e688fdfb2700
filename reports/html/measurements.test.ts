import { expect, test } from 'vitest';
import type { Measurement } from '../../harness/scenario/record.ts';
import { concludeTargets } from '../conclusion.ts';
import { sampleReport, sampleResult } from '../sample.ts';
import { measurements } from './measurements.ts';

function withMeasurements(values: readonly Measurement[]) {
  const result = sampleResult({ id: 'RS-A', suite: 's', title: 't', verdict: 'pass' });
  const results = [{ ...result, evidence: { ...result.evidence, measurements: values } }];
  return sampleReport({ results, problems: [] });
}

function shownOf(values: readonly Measurement[]): string {
  const [conclusion] = concludeTargets(withMeasurements(values));
  return conclusion === undefined ? '' : String(measurements(conclusion));
}

const MEASURED = { what: 'A: request, median', value: 1.5, unit: 'ms' };
const DERIVED = { what: 'A: signatures to verify', value: 0.08, unit: '', derivedFrom: 'RFC 9449 §4.3' };

test('what was measured stands in a table of its own', () => {
  const text = shownOf([MEASURED]);
  expect(text).toMatch(/Measured in this run[^]*A: request, median[^]*1\.5 ms/);
  expect(text).not.toContain('Derived');
  expect(shownOf([])).toBe('false');
});

test('what was derived stands apart, says so, and names the text that it follows from', () => {
  const [measured = '', derived = ''] = shownOf([DERIVED, MEASURED]).split('<h4>');
  expect(measured).not.toContain('signatures to verify');
  expect(derived).toMatch(/not measured[^]*A: signatures to verify[^]*RFC 9449 §4\.3[^]*0\.08/);
  expect(derived).not.toContain('1.5 ms');
});
