import { access, constants, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Role } from '../scenario/record.ts';
import { UsageError } from '../usage-error.ts';
import { DEFAULT_CAPABILITIES, type Capability } from './capabilities.ts';
import { parseManifestText, type ManifestText } from './manifest-problems.ts';
import { httpsProblem, manifestSchema, type WrittenManifest } from './manifest-schema.ts';

/** How a target comes to run. Paths are absolute. */
export type Start =
  | {
      readonly kind: 'module';
      readonly module: string;
      /** Which of the module's variants to start, for a module that has several. */
      readonly variant?: string;
    }
  | { readonly kind: 'process'; readonly command: readonly [string, ...string[]]; readonly directory: string }
  | { readonly kind: 'url'; readonly url: string }
  | {
      readonly kind: 'container';
      /** Folder that the image is built from. */
      readonly build?: string;
      /** Path of the Dockerfile, where it is not the folder's own. */
      readonly dockerfile?: string;
      /** Name of the image. */
      readonly image?: string;
      /** Where the target listens inside. */
      readonly port: number;
      /** In place of the image's own command. */
      readonly command?: readonly string[];
      /** Variables beside those of the target contract. Values may be secrets. */
      readonly environment?: Readonly<Record<string, string>>;
      /** What it may use at most, in mebibytes. */
      readonly memory?: number;
    };

/** What a `url` target is to be driven with where it does not trust the suite's issuer. Paths are absolute. */
export interface Credentials {
  /** Path of the client's PEM certificate chain. */
  readonly certificate: string;
  /** Path of its PKCS#8 PEM key. */
  readonly key: string;
  /** A secret: never shown, logged or reported. */
  readonly accessToken?: string;
  readonly tokenEndpoint?: string;
  readonly clientId?: string;
  readonly scope?: string;
}

/** What a target is and how it is started: `target.yaml` with its defaults filled in. Plain data. */
export interface Manifest {
  readonly name: string;
  readonly title: string;
  readonly role: Role;
  readonly homepage?: string;
  readonly version?: string;
  readonly start: Start;
  readonly capabilities: readonly Capability[];
  readonly paths: { readonly protected: string };
  /** Scenario id → why it fails today. */
  readonly knownFailures: Readonly<Record<string, string>>;
  readonly credentials?: Credentials;
  /** Where a client that the suite does not start calls the suite: a loopback port, with the PKI's server certificate. */
  readonly counterpart?: { readonly port: number };
  /** Request fields by which a process in front, which terminates TLS, tells the application who is calling. */
  readonly identityFields?: readonly string[];
  /** The manifest's path as the user gave it; `null` for one made from `--url`. */
  readonly file: string | null;
}

/** Longest manifest that is read, in octets. */
const MAX_MANIFEST = 262_144;
const DEFAULT_PROTECTED_PATH = '/resource';

/**
 * Reads and checks a target manifest (YAML or JSON).
 *
 * @param path of the file; relative paths inside it are resolved against its folder
 * @throws {UsageError} that lists everything that is wrong, each with file, line, column, field and remedy
 */
export async function loadManifest(path: string): Promise<Manifest> {
  const text = parseManifestText(path, await readText(path));
  const checked = manifestSchema.safeParse(text.data);
  if (!checked.success) throw text.explain(checked.error.issues);
  const manifest = resolved(checked.data, path);
  await checkFiles(manifest, text);
  return manifest;
}

/**
 * The manifest of a target that is given by its URL alone, with the default capabilities.
 *
 * @param url `https://host[:port][/path]`; a path other than `/` is taken as the protected path
 * @throws {UsageError} when it is not such a URL
 */
export function manifestForUrl(url: string, role: Role): Manifest {
  const wrong = httpsProblem(url);
  const parsed = URL.parse(url);
  if (wrong !== undefined || parsed === null) {
    const [what, ...remedy] = (wrong ?? 'is not a URL').split('; ');
    throw new UsageError(
      '--url',
      `${JSON.stringify(url)} ${what ?? ''}`,
      `Correct it: ${remedy.join('; ')}.`,
    );
  }
  if (parsed.search !== '')
    throw new UsageError('--url', `${JSON.stringify(url)} has a query`, 'Give only https://host:port/path.');
  return {
    name: parsed.host
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]+/g, '-')
      .replaceAll(/^-+|-+$/g, ''),
    title: parsed.origin,
    role,
    start: { kind: 'url', url: parsed.origin },
    capabilities: DEFAULT_CAPABILITIES,
    paths: { protected: parsed.pathname === '/' ? DEFAULT_PROTECTED_PATH : parsed.pathname },
    knownFailures: {},
    file: null,
  };
}

async function readText(path: string): Promise<string> {
  try {
    const about = await stat(path);
    if (about.isDirectory()) {
      const inside = join(path, 'target.yaml');
      const hint = await stat(inside).then(
        () => `Did you mean ${inside}?`,
        () => 'Give the path of a manifest file, such as target.yaml.',
      );
      throw new UsageError(path, 'is a folder, not a manifest', hint);
    }
    if (!about.isFile())
      throw new UsageError(
        path,
        'is not a regular file',
        'Give the path of a manifest file, such as target.yaml.',
      );
    if (about.size > MAX_MANIFEST)
      throw new UsageError(
        path,
        `is ${about.size} octets long; a manifest has at most ${MAX_MANIFEST}`,
        'Is it the right file?',
      );
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(path, ...unreadable(error));
  }
}

function unreadable(error: unknown): [what: string, remedy: string] {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return [
      'there is no such file',
      'Give the path of a target manifest; docs/target-contract.md describes it.',
    ];
  if (code === 'EACCES') return ['may not be read', 'Change its permissions, or run as another user.'];
  return [`cannot be read (${code})`, 'Give the path of a readable target manifest.'];
}

function resolved(written: WrittenManifest, path: string): Manifest {
  const folder = dirname(resolve(path));
  const { homepage, version } = written;
  return {
    name: written.name,
    title: written.title,
    role: written.role,
    ...(homepage === undefined ? {} : { homepage }),
    ...(version === undefined ? {} : { version }),
    start: startOf(written.start, folder),
    capabilities: (written.capabilities as readonly Capability[] | undefined) ?? DEFAULT_CAPABILITIES,
    paths: { protected: written.paths?.protected ?? DEFAULT_PROTECTED_PATH },
    knownFailures: written.knownFailures ?? {},
    ...(written.credentials === undefined ? {} : { credentials: credentialsOf(written.credentials, folder) }),
    ...(written.counterpart === undefined ? {} : { counterpart: written.counterpart }),
    ...(written.identityFields === undefined ? {} : { identityFields: written.identityFields }),
    file: path,
  };
}

function startOf(written: WrittenManifest['start'], folder: string): Start {
  if (written.module !== undefined) return { kind: 'module', module: resolve(folder, written.module) };
  if (written.url !== undefined) return { kind: 'url', url: new URL(written.url).origin };
  if (written.container !== undefined) {
    const { build, dockerfile, image, port, command, environment, memory } = written.container;
    return {
      kind: 'container',
      ...(build === undefined ? {} : { build: resolve(folder, build) }),
      ...(dockerfile === undefined ? {} : { dockerfile: resolve(folder, dockerfile) }),
      ...(image === undefined ? {} : { image }),
      port,
      ...(command === undefined ? {} : { command }),
      ...(environment === undefined ? {} : { environment }),
      ...(memory === undefined ? {} : { memory }),
    };
  }
  const [program = '', ...rest] = written.process?.command ?? [];
  return { kind: 'process', command: [program, ...rest], directory: folder };
}

function credentialsOf(written: NonNullable<WrittenManifest['credentials']>, folder: string): Credentials {
  const { certificate, key, accessToken, tokenEndpoint, clientId, scope } = written;
  return {
    certificate: resolve(folder, certificate),
    key: resolve(folder, key),
    ...(accessToken === undefined ? {} : { accessToken }),
    ...(tokenEndpoint === undefined ? {} : { tokenEndpoint }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(scope === undefined ? {} : { scope }),
  };
}

/** A file that the manifest names and that is not there is a mistake of the manifest: said with line and field. */
async function checkFiles(manifest: Manifest, text: ManifestText): Promise<void> {
  const { start, credentials } = manifest;
  const named: (readonly [path: readonly string[], file: string])[] = [];
  if (start.kind === 'module') named.push([['start', 'module'], start.module]);
  if (start.kind === 'container' && start.build !== undefined) {
    if (start.dockerfile === undefined)
      named.push([['start', 'container', 'build'], join(start.build, 'Dockerfile')]);
    else named.push([['start', 'container', 'dockerfile'], start.dockerfile]);
  }
  if (credentials !== undefined) {
    named.push([['credentials', 'certificate'], credentials.certificate]);
    named.push([['credentials', 'key'], credentials.key]);
  }
  for (const [path, file] of named) {
    try {
      await access(file, constants.R_OK);
    } catch {
      throw text.at(
        path,
        `${file} is not there or may not be read`,
        `Correct the path; it is taken relative to the folder of ${basename(manifest.file ?? '')}.`,
      );
    }
  }
}
