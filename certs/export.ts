import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeDirectory } from './directory.ts';
import { KEY_TYPES } from './identity.ts';
import type { Pki } from './pki.ts';
import { jwks } from './token-issuer.ts';
import type { TokenIssuer } from './token-issuer.ts';

/** First line of the README that marks a directory as one that `tsbt pki export` wrote and may write again. */
const MARK = 'Written by `tsbt pki export`.';
const README = 'README.txt';

/** The export could not be written: which path, what is wrong with it, what to do. */
export class ExportError extends Error {
  readonly where: string;
  readonly what: string;
  readonly remedy: string;
  constructor(where: string, what: string, remedy: string, cause?: unknown) {
    super(`${where}: ${what}\n  ${remedy}`, { cause });
    this.name = 'ExportError';
    this.where = where;
    this.what = what;
    this.remedy = remedy;
  }
}

interface ExportFile {
  readonly name: string;
  readonly content: string;
  /** For the README: what it is for. */
  readonly purpose: string;
}

/**
 * Writes the PKI for implementations that are configured by hand (see the target contract). Files of an
 * earlier export are replaced; nothing else is. Private keys are readable by their owner only.
 * @returns the absolute paths of the files written.
 * @throws ExportError where the directory cannot be written, or holds foreign files of the same names.
 */
export async function exportPki(
  store: Pki & { readonly tokenIssuer: TokenIssuer },
  directory: string,
): Promise<readonly string[]> {
  const files = [...filesOf(store)];
  files.push({ name: README, content: readme(files), purpose: '' });
  const target = resolve(directory);
  try {
    await makeDirectory(target);
    await refuseForeign(target, files);
    const paths: string[] = [];
    for (const { name, content } of files) {
      const path = join(target, name);
      await writeFile(path, content, { mode: name.endsWith('.key') ? 0o600 : 0o644 });
      paths.push(path);
    }
    return paths;
  } catch (error) {
    if (error instanceof ExportError) throw error;
    const what = `cannot be written (${error instanceof Error ? error.message : String(error)})`;
    throw new ExportError(target, what, 'Name a directory that you may write to.', error);
  }
}

async function refuseForeign(target: string, files: readonly ExportFile[]): Promise<void> {
  const present = new Set(await readdir(target));
  const foreign = files.find(({ name }) => present.has(name));
  if (foreign === undefined) return;
  const ours = present.has(README) && (await readFile(join(target, README), 'utf8')).startsWith(MARK);
  if (ours) return;
  throw new ExportError(
    join(target, foreign.name),
    'exists and is not from an earlier export',
    'Name an empty or new directory, or move the file away.',
  );
}

function filesOf(store: Pki & { readonly tokenIssuer: TokenIssuer }): readonly ExportFile[] {
  const { issuer, audience } = store.tokenIssuer;
  return [
    {
      name: 'ca.pem',
      content: store.trusted.certificate,
      purpose:
        'The trust anchor of every certificate here. TSBT_CLIENT_CA_FILE of a resource server or authorization server; ' +
        'TSBT_SERVER_CA_FILE of a client.',
    },
    {
      name: 'server.pem',
      content: store.server.chain,
      purpose:
        "A certificate for the implementation's own TLS server (localhost, rs.tsbt.test, host.docker.internal, 127.0.0.1, ::1). TSBT_TLS_CERT_FILE " +
        'of a resource server or authorization server.',
    },
    {
      name: 'server.key',
      content: store.server.privateKey,
      purpose: 'Its private key, PKCS#8. TSBT_TLS_KEY_FILE.',
    },
    {
      name: 'jwks.json',
      content: `${JSON.stringify(jwks(store.tokenIssuer), null, 2)}\n`,
      purpose: "The suite's token issuer: its JWK Set. TSBT_JWKS_FILE of a resource server.",
    },
    {
      name: 'issuer.json',
      content: `${JSON.stringify({ issuer, audience }, null, 2)}\n`,
      purpose:
        'Its issuer identifier and the audience of its tokens. TSBT_ISSUER and TSBT_AUDIENCE of a resource server.',
    },
    ...KEY_TYPES.flatMap((keyType): readonly ExportFile[] => [
      {
        name: `alice-${keyType}.pem`,
        content: store.alice[keyType].chain,
        purpose: `The rightful client, ${keyType} key. TSBT_TLS_CERT_FILE of a client.`,
      },
      {
        name: `alice-${keyType}.key`,
        content: store.alice[keyType].privateKey,
        purpose: 'Its private key, PKCS#8. TSBT_TLS_KEY_FILE of a client.',
      },
    ]),
    {
      name: 'mallory.pem',
      content: store.mallory.chain,
      purpose: 'The attacker: a valid certificate that no token is bound to. Only the suite uses it.',
    },
    { name: 'mallory.key', content: store.mallory.privateKey, purpose: 'Its private key, PKCS#8.' },
  ];
}

function readme(files: readonly ExportFile[]): string {
  return [
    MARK,
    '',
    'These files let an implementation that is configured by hand trust the conformance suite. They stay the',
    'same from run to run on this machine. They are for testing only: never let a production system trust them.',
    'The names in capitals are the settings of the target contract (docs/target-contract.md).',
    '',
    ...files.flatMap(({ name, purpose }) => [name, `    ${purpose}`]),
    '',
  ].join('\n');
}
