import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ResultRecord } from '../../harness/scenario/record.ts';
import { HOSTILE, sampleExchange, samplePair, sampleReport, sampleResult, sampleTarget } from '../sample.ts';
import { renderHtml } from './page.ts';

const page = renderHtml(sampleReport());
const digest = (text: string): string => createHash('sha256').update(text).digest('base64');
const between = (text: string, start: string, end: string): string => {
  const from = text.indexOf(start) + start.length;
  return text.slice(from, text.indexOf(end, from));
};

test('its policy allows the one style and the one script in it, by hash, and nothing else', () => {
  const policy = between(page, 'content="default-src', '"').replaceAll('&#39;', "'");
  expect(policy).toBe(
    ` 'none'; style-src 'sha256-${digest(between(page, '<style>', '</style>'))}'; script-src 'sha256-${digest(between(page, '<script>', '</script>'))}'; base-uri 'none'; form-action 'none'`,
  );
  expect(page.match(/<script|<style/g)).toHaveLength(2);
  expect(page).not.toMatch(/ style="| on[a-z]+="| src="/);
});

test('hostile text is there to be seen, and is text', () => {
  expect(page).not.toContain('<img');
  expect(page).toContain('&lt;img src=x onerror=');
  expect(page).toContain('\\u202egnp.exe');
  expect(page.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Bidi_Control}|[\u200b-\u200d\ufeff]/u);
});

test.each([
  ['headline', 'Not conformant'],
  ['what an attacker gains', 'Anyone can forge a proof, so a stolen token alone is enough.'],
  ['requirement statement', 'The value compared is that of the very connection'],
  ['sections', 'draft §2.2; 3.3.2 step 5f; 6.1.1'],
  ['difference', '<mark><bdi>this connection’s exporter value</bdi></mark>'],
  ['repeat command', 'npx tsbt run targets/acme/target.yaml --scenario RS-EKM-5'],
  ['permutation in the command', '--permutation &quot;TLSv1.3 h2 P-384&quot;'],
  ['exporter cross-check', 'equals the key log’s'],
  ['attack story', 'Mallory, who reads the gateway’s access log and holds no key'],
  ['untested requirement', 'TLS refuses such keys before a request can be made.'],
  ['ambiguity', 'AMB-01'],
  ['known mistake it is like', 'Behaves like one of these'],
  ['link to that mistake', '<a href="#m.M-RS-21"><code>M-RS-21</code></a>'],
  ['distance', '3 of 4 failures in common'],
  ['mistake the suite would catch', 'lets its refusals be stored'],
  ['scenario that catches it', '<a href="#s.acme-gateway.RS-EKM-5">RS-EKM-5</a>'],
  ['verdict that is no failure', '<code>RS-ERR-8</code> (warn)'],
  ['harmless variant', 'speaks HTTP/1.1 only'],
  ['problem of the run', 'The baseline lists RS-FLD-9'],
])('shows the %s', (_, text) => {
  expect(page).toContain(text);
});

test('an incomplete run is said to be one, and is not called conformant', () => {
  const results = [sampleResult({ id: 'RS-A', suite: 's', title: 't', verdict: 'pass' })];
  const cut = renderHtml(sampleReport({ complete: false, results, problems: [] }));
  expect(cut).toContain('Incomplete run</h2>');
  expect(cut).toMatch(/class="headline">[^]*?Inconclusive/);
});

test('a mistake without a row is named and not linked', () => {
  expect(page).toContain('<code>M-RS-999</code>');
  expect(page).not.toContain('#m.M-RS-999');
});

test('a report that is not told what the suite would catch has no part for it, nor a likeness', () => {
  const { catches: _caught, harmless: _harmless, ...told } = sampleReport();
  const { resemblances: _near, ...target } = sampleTarget;
  const bare = renderHtml({ ...told, targets: [target] });
  expect(bare).not.toContain('id="catches"');
  expect(bare).not.toContain('Behaves like');
});

test('a homepage that is no web address is not a link', () => {
  const odd = renderHtml(sampleReport({ targets: [{ ...sampleTarget, homepage: 'javascript:alert(1)' }] }));
  expect(odd).not.toContain('href="javascript');
});

test('a report without targets and results is still a page', () => {
  expect(renderHtml(sampleReport({ targets: [], results: [], requirements: [] }))).toContain(
    'Conformance report',
  );
});

function many(verdict: 'pass' | 'fail'): ResultRecord[] {
  const exchanges = Array.from({ length: 12 }, (_, index) =>
    sampleExchange({
      id: index + 1,
      part: 'variant',
      what: `variant ${index}`,
      status: 401,
      error: 'invalid_proof',
    }),
  );
  return Array.from({ length: 300 }, (_, index) =>
    sampleResult({
      id: `RS-A-${index}`,
      suite: `suite ${index % 12}`,
      title: 'a scenario with a title of usual length',
      verdict,
      evidence: { ...samplePair(401), exchanges },
    }),
  );
}

test.each([
  ['passing', 'pass', 4],
  ['failing', 'fail', 7],
] as const)('300 %s results of twelve exchanges stay a file that opens', (_, verdict, megabytes) => {
  expect(renderHtml(sampleReport({ results: many(verdict) })).length).toBeLessThan(megabytes * 1_000_000);
});

test('a long text is cut, and says so', () => {
  const exchanges = [
    sampleExchange({ id: 1, part: 'request', what: 'w', status: 200, body: 'x'.repeat(16_000) }),
  ];
  const results = [
    sampleResult({
      id: 'RS-A',
      suite: 's',
      title: HOSTILE.repeat(50),
      verdict: 'fail',
      evidence: { ...samplePair(200), exchanges },
    }),
  ];
  const text = renderHtml(sampleReport({ results }));
  expect(text).toMatch(/… \d+ more characters in report\.json/);
  expect(text.length).toBeLessThan(200_000);
});
