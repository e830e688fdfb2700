import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { type ClientIdentity, signerOf } from '../client/identity.ts';
import { dpopSignerOf } from '../dpop/create.ts';

/** The variables of the target contract. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting that is missing or unusable; the message is one line and says which and why. */
export class SettingsError extends Error {
  /** Exit status that a process ends with: 127 for a role that is not played here, else 2. */
  readonly exitCode: 2 | 127;

  constructor(message: string, exitCode: 2 | 127 = 2) {
    super(message);
    this.name = 'SettingsError';
    this.exitCode = exitCode;
  }
}

/** Where agents are listened to. */
export type ListenAddress =
  | { readonly host: string; readonly port: number }
  | {
      /** Of a Unix socket. */
      readonly path: string;
    };

export interface Settings {
  readonly listen: ListenAddress;
  /** Origin of the resource server. */
  readonly upstream: URL;
  /** PEM trust anchors for the resource server. */
  readonly authorities: string;
  readonly claims: 'connection' | 'request';
  /** Key that tokens are bound to by DPoP. */
  readonly dpopKey?: KeyObject;
}

function required(environment: Environment, name: string): string {
  const value = environment[name];
  if (value === undefined || value === '') throw new SettingsError(`${name} is not set`);
  return value;
}

function fileOf(environment: Environment, name: string): string {
  const path = required(environment, name);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new SettingsError(`${name}: ${path} cannot be read (${reason})`);
  }
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return host.toLowerCase() === 'localhost';
  return LOOPBACK.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Whoever reaches the address can have tokens proven, so that it is one of this machine only (draft -06 Appendix B.1).
 * In a container, whose network is its own, `TSBT_ALLOW_REMOTE_AGENTS=1` lifts that.
 */
function listenAddress(environment: Environment): ListenAddress {
  const value = required(environment, 'TSBT_LISTEN');
  if (value.startsWith('unix:/')) return { path: value.slice('unix:'.length) };
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  if (host === undefined || !(port <= 65_535)) {
    throw new SettingsError(`TSBT_LISTEN: ${value} is neither host:port nor unix:/path`);
  }
  if (!isLoopback(host) && environment['TSBT_ALLOW_REMOTE_AGENTS'] !== '1') {
    throw new SettingsError(
      `TSBT_LISTEN: ${host} can be reached from elsewhere, and agents speak plain HTTP; TSBT_ALLOW_REMOTE_AGENTS=1 allows it`,
    );
  }
  return { host, port };
}

function upstreamOf(environment: Environment): URL {
  const value = required(environment, 'TSBT_UPSTREAM');
  const url = URL.parse(value);
  if (url?.protocol !== 'https:' || url.href !== `${url.origin}/`) {
    throw new SettingsError(`TSBT_UPSTREAM: ${value} is not https://host:port`);
  }
  return url;
}

function claimsOf(environment: Environment): Settings['claims'] {
  const value = environment['TSBT_PROOF_CLAIMS'] ?? 'connection';
  if (value === 'connection' || value === 'request') return value;
  throw new SettingsError(`TSBT_PROOF_CLAIMS: ${value} is neither connection nor request`);
}

function dpopKeyOf(environment: Environment): { readonly dpopKey?: KeyObject } {
  const name = 'TSBT_DPOP_KEY_FILE';
  if ((environment[name] ?? '') === '') return {};
  const pem = fileOf(environment, name);
  try {
    return { dpopKey: dpopSignerOf(createPrivateKey(pem)).key };
  } catch (error) {
    throw new SettingsError(`${name}: not usable: ${error instanceof Error ? error.message : 'no PEM'}`);
  }
}

/**
 * Reads the settings of a client from the variables of the target contract.
 *
 * @throws SettingsError for the first setting that is missing or unusable
 */
export function readSettings(environment: Environment): Settings {
  const role = environment['TSBT_ROLE'];
  if (role !== 'client') {
    throw new SettingsError(`TSBT_ROLE: only client is played here, not ${role ?? 'nothing'}`, 127);
  }
  return {
    listen: listenAddress(environment),
    upstream: upstreamOf(environment),
    authorities: fileOf(environment, 'TSBT_SERVER_CA_FILE'),
    claims: claimsOf(environment),
    ...dpopKeyOf(environment),
  };
}

/**
 * Reads certificate and key, at the start and whenever they were renewed.
 *
 * @throws SettingsError where they are unusable, or do not belong together
 */
export function readIdentity(environment: Environment): ClientIdentity {
  const [certificateFile, keyFile] = ['TSBT_TLS_CERT_FILE', 'TSBT_TLS_KEY_FILE'];
  const identity = {
    certificate: fileOf(environment, certificateFile),
    key: fileOf(environment, keyFile),
  };
  let fit: boolean;
  try {
    const { certificate, key } = signerOf(identity);
    fit = certificate.checkPrivateKey(key);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'no PEM';
    throw new SettingsError(`${certificateFile}, ${keyFile}: not usable: ${reason}`);
  }
  if (!fit) throw new SettingsError(`${keyFile}: the key is not the certificate’s`);
  return identity;
}
