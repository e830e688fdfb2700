import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const ROOMS = ['certs', 'harness', 'reference', 'reports', 'suites', 'targets'];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = ROOMS.flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((file) => join(room, file)),
).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));

const imports: readonly Import[] = files.flatMap((from) => {
  const text = readFileSync(join(root, from), 'utf8');
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gms);
  return [...statements].map(([, type, specifier = '']) => ({
    from,
    to: specifier.startsWith('.') ? relative(root, resolve(root, dirname(from), specifier)) : specifier,
    typeOnly: type !== undefined,
  }));
});

function crossings(from: RegExp, to: RegExp, except: RegExp = /^$/): readonly string[] {
  return imports
    .filter((one) => from.test(one.from) && !except.test(one.from) && to.test(one.to))
    .map((one) => `${one.from} → ${one.to}`);
}

test('imports were found at all', () => {
  expect(files.length).toBeGreaterThan(80);
  expect(imports.length).toBeGreaterThan(300);
});

test('certs stands alone', () => {
  expect(crossings(/^certs\//, /^(harness|reference|reports|suites|targets)\//)).toEqual([]);
});

test('the reference imports neither harness, suites, reports nor certs', () => {
  expect(crossings(/^reference\//, /^(harness|suites|reports)\//)).toEqual([]);
  expect(crossings(/^reference\//, /^certs\//, /^reference\/(?:test-bench\/|.*\.fixture\.ts$)/)).toEqual([]);
});

test('nothing else imports the reference', () => {
  expect(crossings(/^(certs|harness|reports|suites)\//, /^reference\//)).toEqual([]);
});

test('the harness imports neither suites nor reports, but for the command line that puts all together', () => {
  expect(crossings(/^harness\//, /^(suites|reports)\//, /^harness\/cli\//)).toEqual([]);
});

test('reports reads the report model of the harness, its way of writing a permutation, its kind of error, and nothing else', () => {
  expect(
    crossings(
      /^reports\//,
      /^(harness\/(?!scenario\/(?:record|permutation)\.ts|matrix\/record\.ts|usage-error\.ts)|suites|certs|targets)/,
    ),
  ).toEqual([]);
});

test('within the harness, what is below does not import what is above', () => {
  expect(crossings(/^harness\/wire\//, /^harness\/(?!wire)/)).toEqual([]);
  expect(crossings(/^harness\/forge\//, /^harness\/(?!forge)/)).toEqual([]);
  expect(crossings(/^harness\/scenario\//, /^harness\/(run|target|bench|cli)\//)).toEqual([]);
  // Scenarios play with counterpart and agent, but it is the harness that hands them over: only their types are known.
  const known = imports.filter(
    ({ from, to, typeOnly }) =>
      !typeOnly && from.startsWith('harness/scenario/') && to.startsWith('harness/counterpart/'),
  );
  expect(known).toEqual([]);
  expect(crossings(/^harness\/(target|counterpart|bench)\//, /^harness\/(run|cli)\//)).toEqual([]);
});

const INPUT_OUTPUT =
  /^(node:)?(net|tls|http|https|http2|fs|fs\/promises|child_process|dgram|dns|worker_threads|cluster)$|^undici$/;

/** Every module that is loaded with these, types left out. */
function loadedWith(start: RegExp): ReadonlyMap<string, string> {
  const reached = new Map(files.filter((file) => start.test(file)).map((file) => [file, file]));
  for (const [file, path] of reached) {
    for (const one of imports) {
      if (one.from === file && !one.typeOnly && !reached.has(one.to))
        reached.set(one.to, `${path} → ${one.to}`);
    }
  }
  return reached;
}

test.each(['harness/scenario/', 'reference/proof/', 'suites/resource-server/'])(
  '%s does no input or output, nor does anything that it loads',
  (room) => {
    const loaded = loadedWith(new RegExp(`^${room}`));
    expect([...loaded].filter(([name]) => INPUT_OUTPUT.test(name)).map(([, path]) => path)).toEqual([]);
  },
);
