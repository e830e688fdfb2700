import { randomUUID, X509Certificate } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { makeDirectory } from './directory.ts';
import { KEY_TYPES } from './identity.ts';
import { createPki } from './pki.ts';
import type { Pki } from './pki.ts';
import { createTokenIssuer } from './token-issuer.ts';
import type { TokenIssuer } from './token-issuer.ts';

const FORMAT = 2;
const FILE = 'pki.json';
/** A stored PKI is replaced when any of its certificates has less than this to live, in milliseconds. */
const RENEWED_BEFORE = 7 * 86_400_000;

/** The suite's PKI and token issuer. */
export interface Store extends Pki {
  readonly tokenIssuer: TokenIssuer;
  readonly directory: string;
  /** False when the directory could not be used: everything is then new, and gone with the process. */
  readonly persisted: boolean;
  /** Why it is not persisted, in words. */
  readonly reason?: string;
}

type Content = Pki & { readonly tokenIssuer: TokenIssuer };

/** Where the PKI is kept: `TSBT_PKI_DIR`, else `tsbt/pki` in the user's state directory (`XDG_STATE_HOME`, `~/.local/state`). */
export function defaultDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment['TSBT_PKI_DIR']) return environment['TSBT_PKI_DIR'];
  return join(environment['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'tsbt', 'pki');
}

/**
 * Opens the suite's PKI, the same in every run on this machine, so that an implementation that is
 * configured by hand stays configured. Made anew when there is none, when the file is unreadable or of
 * another format, and when a certificate expires within seven days. Never throws for the state of the
 * directory: what cannot be kept is made for this process alone, and says so.
 */
export async function openStore(directory: string = defaultDirectory()): Promise<Store> {
  const file = join(directory, FILE);
  const kept = await read(file);
  if (kept !== undefined) return { ...kept, directory, persisted: true };
  const [pki, tokenIssuer] = await Promise.all([createPki(), createTokenIssuer()]);
  const made: Content = { ...pki, tokenIssuer };
  try {
    return { ...(await keep(made, directory, file)), directory, persisted: true };
  } catch (error) {
    return {
      ...made,
      directory,
      persisted: false,
      reason: error instanceof Error ? error.message : String(error),
    };
  }
}

/** Writes a PKI in one step, and gives back what stands in the file: another run may have been first. */
async function keep(made: Content, directory: string, file: string): Promise<Content> {
  await makeDirectory(directory, 0o700);
  const draft = join(directory, `.${FILE}.${randomUUID()}`);
  try {
    await writeFile(draft, `${JSON.stringify({ format: FORMAT, ...made })}\n`, { mode: 0o600, flag: 'wx' });
    try {
      // Unlike a rename, a link fails where another run has put its file meanwhile.
      await link(draft, file);
      return made;
    } catch {
      const others = await read(file);
      if (others !== undefined) return others;
      await rename(draft, file);
      return made;
    }
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

async function read(file: string): Promise<Content | undefined> {
  try {
    const stored: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isContent(stored) && isFresh(stored) ? contentOf(stored) : undefined;
  } catch {
    return undefined;
  }
}

function contentOf({ trusted, stranger, server, alice, mallory, tokenIssuer }: Content): Content {
  return { trusted, stranger, server, alice, mallory, tokenIssuer };
}

function isFresh(content: Content): boolean {
  const certified = [
    content.trusted,
    content.stranger,
    content.server,
    content.mallory,
    ...Object.values(content.alice),
  ];
  const until = Date.now() + RENEWED_BEFORE;
  return certified.every(({ certificate }) => new X509Certificate(certificate).validToDate.getTime() > until);
}

function isContent(value: unknown): value is Content {
  const identity = ['name', 'keyType', 'certificate', 'chain', 'privateKey', 'thumbprint'];
  const authority = ['name', 'certificate', 'privateKey'];
  if (!isRecord(value) || value['format'] !== FORMAT) return false;
  const alice = value['alice'];
  return (
    hasTexts(value['trusted'], authority) &&
    hasTexts(value['stranger'], authority) &&
    hasTexts(value['server'], identity) &&
    hasTexts(value['mallory'], identity) &&
    isRecord(alice) &&
    KEY_TYPES.every((keyType) => hasTexts(alice[keyType], identity)) &&
    hasTexts(value['tokenIssuer'], ['issuer', 'audience', 'privateKey', 'kid'])
  );
}

function hasTexts(value: unknown, members: readonly string[]): boolean {
  return isRecord(value) && members.every((member) => typeof value[member] === 'string');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
