import type { Manifest } from './manifest.ts';
import { greet, knock } from './readiness.ts';
import { TargetProblem, type Target } from './target.ts';

/**
 * Reaches a target that somebody else runs. Nothing is started, and stopping it only lets go of it.
 *
 * @param url `https://host[:port]`
 * @throws {TargetProblem} when no TLS server answers there in time
 */
export async function reachUrlTarget(manifest: Manifest, url: string, timeoutMs: number): Promise<Target> {
  const { hostname, port: written } = new URL(url);
  const host = hostname.replaceAll(/^\[|\]$/g, '');
  const port = written === '' ? 443 : Number(written);
  const greeting = await greet(host, port, timeoutMs);
  if (greeting.type === 'no-such-host')
    throw new TargetProblem(
      'unreachable',
      manifest.name,
      `the name ${host} does not resolve`,
      'Correct the URL.',
    );
  if (greeting.type === 'silent')
    throw new TargetProblem(
      'unreachable',
      manifest.name,
      `no answer from ${url} within ${timeoutMs} ms: ${greeting.detail}`,
      'Start the server, or correct the URL.',
    );
  if (greeting.type === 'not-tls')
    throw new TargetProblem(
      'not-tls',
      manifest.name,
      `${url} answers, but not with TLS`,
      'Give the URL of its HTTPS port.',
    );
  return new UrlTarget(manifest, url, host, port);
}

/**
 * Reaches a client that somebody else runs, at its plain-HTTP side.
 *
 * @param url `http://host[:port]`
 * @throws {TargetProblem} when nobody accepts a connection there in time
 */
export async function reachUrlClient(manifest: Manifest, url: string, timeoutMs: number): Promise<Target> {
  const { hostname, port: written } = new URL(url);
  const host = hostname.replaceAll(/^\[|\]$/g, '');
  const port = written === '' ? 80 : Number(written);
  const greeting = await knock(host, port, timeoutMs);
  if (greeting.type !== 'accepted')
    throw new TargetProblem(
      'unreachable',
      manifest.name,
      `nobody accepts a connection at ${url} within ${timeoutMs} ms`,
      'Start the client, or correct the URL.',
    );
  return new UrlTarget(manifest, url, host, port);
}

class UrlTarget implements Target {
  readonly manifest: Manifest;
  readonly host: string;
  readonly port: number;
  readonly startedAs: string;
  /** The suite does not own it, so its end shows only in the exchanges with it. */
  readonly ended = new Promise<string>(() => undefined);
  #stopped = false;

  constructor(manifest: Manifest, url: string, host: string, port: number) {
    this.manifest = manifest;
    this.host = host;
    this.port = port;
    this.startedAs = `url ${url}`;
  }

  log(): readonly string[] {
    return [];
  }

  alive(): boolean {
    return !this.#stopped;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
