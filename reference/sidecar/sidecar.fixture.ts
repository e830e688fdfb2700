import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from '../test-bench/bench.ts';
import type { Environment } from './settings.ts';
import type { RunningTarget, TargetOptions } from './target.ts';

type Identity = Bench['pki']['mallory'];

export interface AgentRequest {
  readonly method?: string;
  readonly path?: string;
  /** Names and values in turn. */
  readonly fields?: readonly string[];
  readonly body?: string | Buffer;
}

export interface AgentResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly body: string;
}

/** A client target in front of a resource server, and an agent of its. */
export interface SidecarBench extends AsyncDisposable {
  readonly target: RunningTarget;
  readonly environment: Readonly<Record<string, string>>;
  /** Lines of the target's log. */
  readonly log: readonly string[];
  send(request: AgentRequest): Promise<AgentResponse>;
  /** Puts another certificate and key into the target's files. */
  rotate(identity: Identity): Promise<void>;
}

/** The contract's variables for a client, with files that it may read. */
export async function clientEnvironment(
  bench: Bench,
  further: Readonly<Record<string, string>> = {},
): Promise<{
  readonly environment: Readonly<Record<string, string>>;
  readonly rotate: (identity: Identity) => Promise<void>;
  readonly remove: () => Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'sidecar-'));
  const [certificate, key] = [join(folder, 'client.crt'), join(folder, 'client.key')];
  const rotate = async (identity: Identity) => {
    await writeFile(certificate, identity.chain);
    await writeFile(key, identity.privateKey);
  };
  await rotate(bench.pki.alice['P-256']);
  return {
    environment: {
      TSBT_ROLE: 'client',
      TSBT_LISTEN: '127.0.0.1:0',
      TSBT_UPSTREAM: `https://localhost:${bench.port}`,
      TSBT_TLS_CERT_FILE: certificate,
      TSBT_TLS_KEY_FILE: key,
      TSBT_SERVER_CA_FILE: bench.environment['TSBT_SERVER_CA_FILE'] ?? '',
      ...further,
    },
    rotate,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Sends a request as an agent does: plain HTTP/1.1. */
export function sendTo(port: number, agent?: Agent): (request: AgentRequest) => Promise<AgentResponse> {
  return ({ method = 'GET', path = '/resource', fields = [], body }) =>
    new Promise((resolve, reject) => {
      const headers = ['Host', `127.0.0.1:${port}`, ...fields];
      if (body !== undefined) headers.push('Content-Length', String(Buffer.byteLength(body)));
      const request = httpRequest(
        { host: '127.0.0.1', port, method, path, headers, ...(agent && { agent }) },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.once('error', reject);
          response.once('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              trailers: response.trailers,
              body: text,
            }),
          );
        },
      );
      request.once('error', reject);
      request.end(body);
    });
}

/** Starts a client target in front of a bench. */
export async function startSidecar(
  bench: Bench,
  start: (environment: Environment, options?: TargetOptions) => Promise<RunningTarget>,
  options: TargetOptions = {},
  further: Readonly<Record<string, string>> = {},
): Promise<SidecarBench> {
  const { environment, rotate, remove } = await clientEnvironment(bench, further);
  const log: string[] = [];
  const target = await start(environment, { log: (line) => log.push(line), ...options });
  const agent = new Agent({ keepAlive: true });
  return {
    target,
    environment,
    log,
    rotate,
    send: sendTo(target.port, agent),
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await target.close();
      await remove();
    },
  };
}
