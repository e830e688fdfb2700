import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../usage-error.ts';
import { loadManifest, manifestForUrl } from './manifest.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tsbt-manifest-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const CLIENT = 'name: c\ntitle: A client\nrole: client\n';
const HEAD = 'name: rs\ntitle: A server\nrole: resource-server\n';
const PROCESS = 'start: { process: { command: [./rs, --flag] } }\n';

describe('a good manifest', () => {
  test('gets its defaults', async () => {
    const file = await written(HEAD + PROCESS);
    expect(await loadManifest(file)).toEqual({
      name: 'rs',
      title: 'A server',
      role: 'resource-server',
      start: { kind: 'process', command: ['./rs', '--flag'], directory: folder },
      capabilities: ['tls1.3', 'http/1.1'],
      paths: { protected: '/resource' },
      knownFailures: {},
      file,
    });
  });

  test('of a client that runs already says where it is, and at which port it calls the suite', async () => {
    const file = await written(
      `${CLIENT}start: { url: "http://127.0.0.1:3128" }\ncounterpart: { port: 9443 }\n`,
    );
    expect(await loadManifest(file)).toMatchObject({
      role: 'client',
      start: { kind: 'url', url: 'http://127.0.0.1:3128' },
      counterpart: { port: 9443 },
    });
  });

  test('may say everything, in JSON', async () => {
    await writeFile(join(folder, 'a.pem'), '');
    const file = await written(
      JSON.stringify({
        $schema: './schema.json',
        name: 'rs',
        title: 'A server',
        role: 'resource-server',
        homepage: 'https://example.org/',
        version: '1.4.0',
        start: { url: 'https://rs.example:8443' },
        capabilities: ['tls1.2', 'h2', 'binding-required'],
        paths: { protected: '/api' },
        knownFailures: { 'RS-PL-4': '#41: no upper bound' },
        credentials: { certificate: 'a.pem', key: './a.pem', accessToken: 'opaque' },
      }),
    );
    expect(await loadManifest(file)).toEqual({
      name: 'rs',
      title: 'A server',
      role: 'resource-server',
      homepage: 'https://example.org/',
      version: '1.4.0',
      start: { kind: 'url', url: 'https://rs.example:8443' },
      capabilities: ['tls1.2', 'h2', 'binding-required'],
      paths: { protected: '/api' },
      knownFailures: { 'RS-PL-4': '#41: no upper bound' },
      credentials: { certificate: join(folder, 'a.pem'), key: join(folder, 'a.pem'), accessToken: 'opaque' },
      file,
    });
  });

  test('may name a module, relative to itself', async () => {
    await mkdir(join(folder, 'src'), { recursive: true });
    await writeFile(join(folder, 'src', 'rs.ts'), '');
    const manifest = await loadManifest(await written(`${HEAD}start: { module: src/rs.ts }\n`));
    expect(manifest.start).toEqual({ kind: 'module', module: join(folder, 'src', 'rs.ts') });
  });

  test('may name a container', async () => {
    await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\n');
    const manifest = await loadManifest(
      await written(`${HEAD}start: { container: { build: ., port: 8443 } }\n`),
    );
    expect(manifest.start).toEqual({ kind: 'container', build: folder, port: 8443 });
  });
});

describe('a file that is no manifest', () => {
  test('missing', async () => {
    expect(await messageOf(loadManifest(join(folder, 'no.yaml')))).toBe(
      'no.yaml: there is no such file\n  Give the path of a target manifest; docs/target-contract.md describes it.',
    );
  });

  test('a folder, with and without a manifest in it', async () => {
    await mkdir(join(folder, 'go'), { recursive: true });
    expect(await messageOf(loadManifest(join(folder, 'go')))).toBe(
      'go: is a folder, not a manifest\n  Give the path of a manifest file, such as target.yaml.',
    );
    await writeFile(join(folder, 'go', 'target.yaml'), '');
    expect(await messageOf(loadManifest(join(folder, 'go')))).toBe(
      'go: is a folder, not a manifest\n  Did you mean go/target.yaml?',
    );
  });

  test.each([
    [
      'empty',
      '# nothing\n',
      'bad.yaml: is empty\n  Write a manifest into it: docs/target-contract.md describes every field.',
    ],
    [
      'text',
      'hello\n',
      'bad.yaml:1:1: must be a set of fields, but is "hello"\n  docs/target-contract.md describes every field.',
    ],
    [
      'malformed YAML',
      `${HEAD}start: { url: https://a\ncapabilities: [h2]\n`,
      /^bad\.yaml:5:1: is not well-formed YAML or JSON: .+\n {2}Correct the indentation/,
    ],
    [
      'duplicate keys',
      `${HEAD}${PROCESS}role: client\n`,
      'bad.yaml:5:1 role: stands here a second time\n  Remove one of the two.',
    ],
    ['very long', 'x'.repeat(300_000), /^bad\.yaml: is 300000 octets long; a manifest has at most 262144\n/],
    [
      'multiplying aliases',
      `a: &a [1]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n`,
      /^bad\.yaml: has YAML aliases that multiply/,
    ],
  ])('%s', async (_, text, message) => {
    expect(await messageOf(loadManifest(await written(text)))).toMatch(exactly(message));
  });
});

describe('a manifest with a mistake', () => {
  test.each([
    [
      'unknown field',
      `${HEAD}${PROCESS}capabilites: [h2]\n`,
      'bad.yaml:5:1 capabilites: unknown field; did you mean capabilities?\n  Fields here: name, title, role, homepage, version, start, capabilities, paths, knownFailures, credentials, counterpart, identityFields.',
    ],
    [
      'unknown field inside',
      `${HEAD}start:\n  process:\n    comand: [./rs]\n    command: [./rs]\n`,
      'bad.yaml:6:5 start.process.comand: unknown field; did you mean command?\n  Fields here: command.',
    ],
    [
      'wrong role',
      `name: rs\ntitle: A server\nrole: resource_server\n${PROCESS}`,
      'bad.yaml:3:1 role: "resource_server" is not known; did you mean resource-server?\n  Known: resource-server, client, intermediary, authorization-server.',
    ],
    [
      'missing field',
      `name: rs\nrole: client\n${PROCESS}`,
      'bad.yaml:1:1 title: is missing\n  Add title: docs/target-contract.md describes every field.',
    ],
    [
      'two start kinds',
      `${HEAD}start:\n  url: https://rs.example\n  process: { command: [./rs] }\n`,
      'bad.yaml:4:1 start: has process and url\n  Keep exactly one of them.',
    ],
    [
      'no start kind',
      `${HEAD}start: {}\n`,
      'bad.yaml:4:1 start: is empty\n  Give one of module, process, url, container.',
    ],
    [
      'http url',
      `${HEAD}start:\n  url: http://rs.example:8443\n`,
      'bad.yaml:5:3 start.url: "http://rs.example:8443" is plain http\n  Session binding needs TLS, write https://host:port.',
    ],
    [
      'https url of a client',
      `${CLIENT}start:\n  url: https://127.0.0.1:3128\ncounterpart: { port: 9443 }\n`,
      'bad.yaml:5:3 start.url: "https://127.0.0.1:3128" is https\n  Agents speak plain HTTP to a client under test, write http://host:port.',
    ],
    [
      'client that runs already, and calls nobody knows whom',
      `${CLIENT}start:\n  url: http://127.0.0.1:3128\n`,
      'bad.yaml:1:1 counterpart: is missing\n  A client that runs already calls a fixed port, give it here: counterpart: { port: 9443 }.',
    ],
    [
      'identity fields of a client',
      `${CLIENT}start: { url: "http://127.0.0.1:3128" }\ncounterpart: { port: 9443 }\nidentityFields: [X-User]\n`,
      'bad.yaml:6:1 identityFields: are only for resource servers\n  Remove them.',
    ],
    [
      'an identity field that no request could have',
      `${HEAD}${PROCESS}identityFields: ["X User"]\n`,
      'bad.yaml:5:18 identityFields.0: "X User" is not a name that a request field may have\n  docs/target-contract.md describes every field.',
    ],
    [
      'counterpart of a server',
      `${HEAD}${PROCESS}counterpart: { port: 9443 }\n`,
      'bad.yaml:5:1 counterpart: is only for a client with start.url\n  The suite tells the others whom to call.',
    ],
    [
      'url with a path',
      `${HEAD}start:\n  url: https://rs.example/api\n`,
      'bad.yaml:5:3 start.url: "https://rs.example/api" has a path or query\n  The path belongs under paths.protected.',
    ],
    [
      'capability typo',
      `${HEAD}${PROCESS}capabilities: [tls1.3, http1.1]\n`,
      /^bad\.yaml:5:24 capabilities\.1: "http1\.1" is not known; did you mean http\/1\.1\?\n {2}Known: tls1\.2, tls1\.3, http\/1\.1, h2, /,
    ],
    [
      'no TLS version',
      `${HEAD}${PROCESS}capabilities: [h2]\n`,
      'bad.yaml:5:1 capabilities: claims no TLS version, so nothing could be run\n  Add tls1.3 or tls1.2.',
    ],
    [
      'a capability twice',
      `${HEAD}${PROCESS}capabilities: [tls1.3, h2, h2]\n`,
      'bad.yaml:5:28 capabilities.2: "h2" is listed twice\n  Remove one.',
    ],
    [
      'a name with a space',
      `name: my rs\ntitle: A server\nrole: client\n${PROCESS}`,
      'bad.yaml:1:1 name: "my rs" may have only lower-case letters, digits and hyphens\n  docs/target-contract.md describes every field.',
    ],
    [
      'a version that YAML takes for a number',
      `${HEAD}version: 1.4\n${PROCESS}`,
      'bad.yaml:4:1 version: 1.4 must be text\n  Put it in quotes, such as "1.4.0".',
    ],
    [
      'a command that is no list',
      `${HEAD}start: { process: { command: ./rs } }\n`,
      'bad.yaml:4:21 start.process.command: must be a list, but is "./rs"\n  docs/target-contract.md describes every field.',
    ],
    [
      'a known failure without a reason',
      `${HEAD}${PROCESS}knownFailures:\n  RS-PL-4: #41 no upper bound\n`,
      /^bad\.yaml:6:3 knownFailures\.RS-PL-4: .*needs a reason, in quotes/,
    ],
    [
      'credentials for a target that the suite starts',
      `${HEAD}${PROCESS}credentials: { certificate: a.pem, key: a.pem, accessToken: x }\n`,
      'bad.yaml:5:1 credentials: are only for a target with start.url\n  The suite gives the others what they need.',
    ],
    [
      'credentials with neither token nor token endpoint',
      `${HEAD}start: { url: "https://rs.example" }\ncredentials: { certificate: a.pem, key: a.pem }\n`,
      'bad.yaml:5:1 credentials: needs exactly one of accessToken, tokenEndpoint\n  docs/target-contract.md describes every field.',
    ],
    [
      'a port out of range',
      `${HEAD}start: { container: { image: rs, port: 70000 } }\n`,
      'bad.yaml:4:34 start.container.port: must be at most 65535\n  docs/target-contract.md describes every field.',
    ],
  ])('%s', async (_, text, message) => {
    expect(await messageOf(loadManifest(await written(text)))).toMatch(exactly(message));
  });

  test('a module that is not there', async () => {
    const message = await messageOf(loadManifest(await written(`${HEAD}start:\n  module: ./nowhere.ts\n`)));
    expect(message).toBe(
      'bad.yaml:5:3 start.module: nowhere.ts is not there or may not be read\n  Correct the path; it is taken relative to the folder of bad.yaml.',
    );
  });

  test('several at once are all named, in the order of the text', async () => {
    const text = `name: rs\ntitel: A server\nrole: ressource-server\nstart:\n  url: ftp://rs\n`;
    expect(await messageOf(loadManifest(await written(text)))).toBe(
      [
        'bad.yaml:1:1 title: is missing',
        '  Add title: docs/target-contract.md describes every field.',
        'bad.yaml:2:1 titel: unknown field; did you mean title?',
        '  Fields here: name, title, role, homepage, version, start, capabilities, paths, knownFailures, credentials, counterpart, identityFields.',
        'bad.yaml:3:1 role: "ressource-server" is not known; did you mean resource-server?',
        '  Known: resource-server, client, intermediary, authorization-server.',
        'bad.yaml:5:3 start.url: "ftp://rs" has the scheme ftp',
        '  Write https://host:port.',
      ].join('\n'),
    );
  });

  test('never spells out an access token', async () => {
    const text = `${HEAD}start: { url: "https://a" }\ncredentials: { certificate: a, key: a, accessToken: [s3cret], tokenEndpont: s3cret }\n`;
    expect(await messageOf(loadManifest(await written(text)))).not.toContain('s3cret');
  });
});

describe('a manifest for a URL', () => {
  test('has a name, defaults and no file', () => {
    expect(manifestForUrl('https://RS.example:8443', 'resource-server')).toEqual({
      name: 'rs-example-8443',
      title: 'https://rs.example:8443',
      role: 'resource-server',
      start: { kind: 'url', url: 'https://rs.example:8443' },
      capabilities: ['tls1.3', 'http/1.1'],
      paths: { protected: '/resource' },
      knownFailures: {},
      file: null,
    });
  });

  test('takes a path for the protected one', () => {
    expect(manifestForUrl('https://[::1]:8443/api/v1', 'client')).toMatchObject({
      name: '1-8443',
      start: { url: 'https://[::1]:8443' },
      paths: { protected: '/api/v1' },
    });
  });

  test.each([
    ['localhost:8443', 'has the scheme localhost', 'write https://host:port'],
    ['http://localhost', 'is plain http', 'write https://host:port'],
    ['nonsense', 'is not a URL', 'write https://host:port'],
    ['https://a:b@rs', 'has a user or password in it', 'remove them'],
    ['https://rs/?a=1', 'has a query', 'Give only https://host:port/path.'],
  ])('refuses %s', (url, what, remedy) => {
    expect(() => manifestForUrl(url, 'resource-server')).toThrow(
      expect.objectContaining({
        where: '--url',
        what: expect.stringContaining(what),
        remedy: expect.stringContaining(remedy),
      }),
    );
  });
});

async function written(text: string): Promise<string> {
  const file = join(folder, 'bad.yaml');
  await writeFile(file, text);
  return file;
}

/** The message of the UsageError, without the temporary folder. */
async function messageOf(loading: Promise<unknown>): Promise<string> {
  const outcome: unknown = await loading.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof UsageError) return outcome.message.replaceAll(`${folder}/`, '');
  throw new Error('expected a UsageError', { cause: outcome });
}

/** `toMatch` takes a text for a part; here it is the whole. */
function exactly(message: string | RegExp): RegExp {
  if (message instanceof RegExp) return message;
  return new RegExp(`^${message.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)}$`);
}
