import type { Identity } from '../../certs/identity.ts';
import type { Store } from '../../certs/store.ts';
import { Agent } from '../counterpart/agent/agent.ts';
import { forgeToken } from '../forge/token.ts';
import type { Token, TokenRequest } from '../forge/token.ts';
import type { Manifest } from '../target/manifest.ts';
import { startTarget, vantageOf } from '../target/start.ts';
import type { Target } from '../target/target.ts';
import { originAt } from '../target/vantage.ts';
import type { Field, Outcome } from '../wire/connection.ts';
import { Observer } from '../counterpart/observer/observer.ts';

/** Of the path that every server protects. */
const PATIENCE_MS = 5000;

/** A client and a resource server at work, with an agent in front and an observer in between. */
export interface Pair extends AsyncDisposable {
  readonly client: Manifest;
  readonly server: Target;
  readonly observer: Observer;
  /** The client's certificate, until it is given another. */
  readonly identity: Identity;
  /** The suite's PKI and issuer. */
  readonly store: Store;
  /** A session-bound token for the client, unless told otherwise. */
  mint(request?: Partial<TokenRequest>): Token;
  /** Sends a request with the token through client and observer to the server. */
  ask(token: Token): Promise<Outcome>;
  /** Gives the client another certificate; it gives no sign when it has taken it. */
  rotate(identity: Identity): Promise<void>;
}

/**
 * Starts a client in front of a resource server that runs.
 *
 * @throws {TargetProblem} where the client cannot be started; nothing is left running then
 */
export async function startPair(client: Manifest, server: Target, store: Store): Promise<Pair> {
  await using stack = new AsyncDisposableStack();
  const identity = store.alice['P-256'];
  const vantage = await vantageOf(client);
  const observer = stack.use(await Observer.open(vantage.address, server));
  const target = stack.use(
    await startTarget(client, {
      clientIdentity: identity,
      serverAuthorities: store.trusted.certificate,
      upstream: originAt(vantage, observer.port),
      proofClaims: 'connection',
    }),
  );
  const agent = stack.use(new Agent(target));
  const released = stack.move();
  return {
    client,
    server,
    observer,
    identity,
    store,
    mint: (request = {}) => forgeToken(store.tokenIssuer, { boundTo: identity, ...request }),
    ask: ({ compact }) => askTwice(agent, server.manifest.paths.protected, compact),
    rotate: async (next) => {
      if (target.rotate === undefined) throw new Error('this client cannot be given another certificate');
      await target.rotate(next);
    },
    [Symbol.asyncDispose]: () => released.disposeAsync(),
  };
}

/** A client may wait to be asked for a proof, and hand on the question: agents ask once more then (draft -06 §3.3.1). */
async function askTwice(agent: Agent, path: string, token: string): Promise<Outcome> {
  const fields: readonly Field[] = [['Authorization', `Bearer ${token}`]];
  const request = { method: 'GET', target: path, fields };
  const first = await agent.send(request, PATIENCE_MS);
  return errorOf(first) === 'use_session_binding' ? agent.send(request, PATIENCE_MS) : first;
}

/** The `error` of a response's first challenge that has one. */
export function errorOf(outcome: Outcome): string | undefined {
  if (outcome.type === 'failure') return undefined;
  const challenges = outcome.fields.filter(([name]) => name.toLowerCase() === 'www-authenticate');
  return challenges
    .map(([, value]) => /\berror="?(?<code>[a-z_]+)/.exec(value)?.groups?.['code'])
    .find((code) => code !== undefined);
}

/** Whether a request was served. */
export function isServed(outcome: Outcome): boolean {
  return outcome.type === 'response' && outcome.status >= 200 && outcome.status < 300;
}

/** An outcome in words, free of what is secret. */
export function seen(outcome: Outcome): string {
  if (outcome.type === 'failure') return `no response: ${outcome.detail}`;
  const error = errorOf(outcome);
  return error === undefined ? String(outcome.status) : `${outcome.status} ${error}`;
}
