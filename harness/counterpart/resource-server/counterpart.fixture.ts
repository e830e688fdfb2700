import { onTestFinished } from 'vitest';
import { connect } from '../../wire/connect.ts';
import type { Connection, ConnectOptions, Outcome, WireRequest } from '../../wire/connection.ts';
import { pki } from '../../wire/loopback-server.ts';
import type { Answer, CounterpartServer, Script, TransportPlan } from './contract.ts';
import { startCounterpart } from './server.ts';

export const get: WireRequest = { method: 'GET', target: '/resource?a=1', fields: [] };
export const OK = { kind: 'response', status: 200, fields: [], body: 'hello' } as const satisfies Answer;

export function always(answer: Answer): Script {
  return () => answer;
}

/** Every version of TLS with every version of HTTP. */
export const TRANSPORTS = [
  { tls: 'TLSv1.3', http: 'http/1.1' },
  { tls: 'TLSv1.3', http: 'h2' },
  { tls: 'TLSv1.2', http: 'http/1.1' },
  { tls: 'TLSv1.2', http: 'h2' },
] as const;

/** A counterpart that has begun, until the test is over. */
export async function started(
  plan: TransportPlan = { tls: 'TLSv1.3', http: 'http/1.1' },
  script = always(OK),
): Promise<CounterpartServer> {
  const server = await startCounterpart({ identity: pki.server });
  onTestFinished(() => server[Symbol.asyncDispose]());
  await server.begin(plan, script);
  return server;
}

export function optionsFor(server: CounterpartServer, changes: Partial<ConnectOptions> = {}): ConnectOptions {
  return {
    host: server.host,
    port: server.port,
    tls: 'TLSv1.3',
    http: 'http/1.1',
    identity: pki.alice['P-256'],
    serverAuthorities: pki.trusted.certificate,
    ...changes,
  };
}

/** The suite's own client, connected to the counterpart until the test is over. */
export async function client(
  server: CounterpartServer,
  changes: Partial<ConnectOptions> = {},
): Promise<Connection> {
  const connection = await connect(optionsFor(server, changes));
  onTestFinished(() => connection.close());
  return connection;
}

export function bodyOf(outcome: Outcome): string {
  return outcome.type === 'response' ? `${outcome.status} ${outcome.body.toString()}` : outcome.kind;
}
