import { expect, test } from 'vitest';
import { renderJunit } from './junit.ts';
import { HOSTILE, sampleReport, sampleResult, sampleTarget } from './sample.ts';

/** Throws where `xml` is not well-formed in what this writer uses: tags, quoted attributes, references, text. */
function checkWellFormed(xml: string): void {
  const open: string[] = [];
  const token =
    /<\?xml [^<>?]*\?>\n|<(\/?)([a-z-]+)((?: [a-z-]+="[^"<&\n\t]*(?:&[a-z]+;[^"<&\n\t]*)*")*)(\/?)>|[^<&]+|&(?:amp|lt|gt|quot|apos);/gy;
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const found = token.exec(xml);
    if (found === null)
      throw new Error(`not well-formed at ${at}: ${JSON.stringify(xml.slice(at, at + 80))}`);
    const [, slash, name, , empty] = found;
    if (name === undefined) continue;
    if (slash === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
    } else if (empty === '') open.push(name);
  }
  if (open.length > 0) throw new Error(`left open: ${open.join()}`);
  // XML 1.0 §2.2 forbids these even as references.
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(xml))
    throw new Error('forbidden character');
}

const xml = renderJunit(sampleReport());
const caseOf = (id: string): string =>
  xml.split('<testcase ').find((part) => part.includes(` name="${id} `)) ?? `no test case for ${id}`;

test('is well-formed, hostile text and all', () => {
  checkWellFormed(xml);
  checkWellFormed(
    renderJunit(
      sampleReport({
        problems: [HOSTILE],
        targets: [{ ...sampleTarget, problem: HOSTILE }],
        complete: false,
      }),
    ),
  );
  expect(xml).not.toContain('\u001b');
  expect(xml).toContain('\\u202e');
  expect(xml).toContain('\\u001b[31m');
});

test('there is a suite for each target and suite, with its counts', () => {
  expect(xml).toContain(
    '<testsuite name="acme-gateway / Exporter value" tests="5" failures="1" errors="0" skipped="0"',
  );
  expect(xml).toMatch(
    /<testsuites name="[^"]+" tests="24" failures="6" errors="2" skipped="1" time="3.290">/,
  );
});

test.each([
  ['RS-EKM-1', /^(?!.*<(failure|error|skipped|system-out)).*<property name="verdict" value="pass"/s],
  ['RS-EKM-5', /<failure type="fail.target" message="Expected 401[^"]*">.*<system-out>repeat: npx tsbt run/s],
  ['RS-ERR-4', /<error type="inconclusive.harness"/],
  ['RS-INT-1', /<skipped message="The target does not claim the capability introspection."\/>/],
  ['RS-ERR-5', /<property name="warn" value="No error_description.*<system-out>warn: No error_description/s],
  ['RS-EKM-4', /<property name="info" value="The zero-length form.*<system-out>info: /s],
  ['RS-PL-4', /<failure type="known-failure"/],
])('%s', (id, expected) => {
  expect(caseOf(id)).toMatch(expected);
});

test('a run that judged nothing does not look like one without faults', () => {
  const results = [sampleResult({ id: 'RS-A', suite: 's', title: 't', verdict: 'pass' })];
  const cut = renderJunit(sampleReport({ results, problems: [], complete: false }));
  expect(cut).toContain('<testsuite name="run" tests="1" failures="0" errors="1"');
  const clean = renderJunit(sampleReport({ results, problems: [] }));
  expect(clean).not.toContain('name="run"');
});
