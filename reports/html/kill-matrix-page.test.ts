import { expect, test } from 'vitest';
import type { KillMatrixView } from '../kill-matrix.ts';
import { renderKillMatrix } from './kill-matrix-page.ts';

const MATRIX: KillMatrixView = {
  role: 'resource-server',
  wallMs: 61_400,
  counts: { mutants: 1, killedExactly: 1, variants: 1, variantsClean: 1 },
  subjects: [
    {
      id: 'M-RS-21',
      form: 'mutant',
      what: 'does not compare <ekm>',
      breaks: ['RS-EKM-5'],
      reasons: {
        'RS-EKM-5': ['served <script>alert(1)</script>'],
        'RS-EKM-1': ['served'],
        'RS-PL-2': ['served'],
      },
    },
    {
      id: 'V-RS-slow',
      form: 'variant',
      what: 'is slow',
      breaks: [],
      reasons: { 'RS-PL-2': ['took its time'] },
    },
  ],
  scenarios: [
    { id: 'RS-EKM-5', severity: 'fail', kills: ['M-RS-21'] },
    { id: 'RS-EKM-1', severity: 'fail', kills: ['M-RS-21'] },
    { id: 'RS-PL-2', severity: 'fail', kills: [], reason: 'nobody errs in this way' },
  ],
  mismatches: [],
};

const text = (markup: string): string =>
  markup
    .replaceAll(/<style>.*?<\/style>/gs, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

test('counts the scenarios of each area that find a mistake, and tells what they say', () => {
  const page = renderKillMatrix(MATRIX);
  expect(text(page)).toContain(
    '1 mutant, 1 killed exactly as declared · 1 harmless variant, 1 clean · 61.4 s',
  );
  expect(page).toContain('<td class="killed">2</td>');
  expect(page).toContain('<td class="noticed">1</td>');
  expect(page).toContain('<a href="#M-RS-21">M-RS-21</a>');
  expect(text(page)).toContain('nobody errs in this way');
  expect(text(page)).toContain('Everything is as declared.');
});

test('what does not hold stands first; foreign text stays text', () => {
  const mismatches = [{ kind: 'survivor', about: 'M-RS-21', text: 'nothing <b>catches</b> it' }];
  const page = renderKillMatrix({ ...MATRIX, mismatches });
  expect(page).not.toContain('<script>');
  expect(page).toContain('&lt;script&gt;');
  expect(page).toContain('nothing &lt;b&gt;catches');
  expect(page.indexOf('id="mismatches"')).toBeLessThan(page.indexOf('id="mutants"'));
  expect(page).toContain('script-src &#39;none&#39;');
});
