import { availableParallelism } from 'node:os';
import type { Store } from '../../certs/store.ts';
import { jwks } from '../../certs/token-issuer.ts';
import type { Manifest } from '../target/manifest.ts';
import { startTarget } from '../target/start.ts';
import { TargetProblem } from '../target/target.ts';
import type { Target } from '../target/target.ts';
import { blame } from './blame.ts';
import { goOn } from './journey.ts';
import type { Loot } from './journey.ts';
import { JOURNEYS } from './journeys.ts';
import { stealFrom } from './loot.ts';
import { startPair } from './pair.ts';
import type { Cell, MatrixParty } from './record.ts';

/** Who is to meet whom. */
export interface MatrixRequest {
  /** The first is the reference. */
  readonly clients: readonly Manifest[];
  /** The first is the reference. */
  readonly servers: readonly Manifest[];
  readonly store: Store;
  /** Told each cell as it comes. */
  cell?(cell: Cell): void;
  readonly signal?: AbortSignal;
}

export interface MatrixOutcome {
  readonly clients: readonly MatrixParty[];
  readonly servers: readonly MatrixParty[];
  readonly cells: readonly Cell[];
  readonly problems: readonly string[];
  /** How many parties could not be started for want of a container engine. */
  readonly withoutEngine: number;
}

type Party<T> = { readonly manifest: Manifest } & (
  | { readonly ready: T }
  | { readonly problem: TargetProblem }
);

/**
 * Lets every client talk to every resource server, with the suite as issuer and an observer between the two. Servers run
 * for the whole matrix, and each cell has a client of its own. What cannot be started is reported, the others go on; all
 * that was started is stopped again.
 */
export async function interoperate(request: MatrixRequest): Promise<MatrixOutcome> {
  const { store, signal } = request;
  await using stack = new AsyncDisposableStack();
  const servers = await Promise.all(
    request.servers.map((manifest) =>
      readied(manifest, async () => stack.use(await startTarget(manifest, settingsOf(store)))),
    ),
  );
  const clients = await Promise.all(
    request.clients.map((manifest) => readied(manifest, () => stealFrom(manifest, store))),
  );
  const pairs = clients.flatMap((client) =>
    servers.flatMap((server) =>
      'ready' in client && 'ready' in server
        ? [{ client: client.ready.manifest, loot: client.ready.loot, server: server.ready }]
        : [],
    ),
  );
  const cells: (Cell | undefined)[] = [];
  const problems: string[] = [];
  const waiting = pairs.entries();
  const work = async (): Promise<void> => {
    for (const [index, pair] of waiting) {
      if (signal?.aborted === true) return;
      try {
        const cell = await cellOf(pair.client, pair.server, pair.loot, store);
        cells[index] = cell;
        request.cell?.(cell);
      } catch (error) {
        if (!(error instanceof TargetProblem)) throw error;
        problems.push(error.message);
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const told = (parties: readonly Party<unknown>[]): readonly MatrixParty[] =>
    parties.map((party, index) => partyOf(party, index === 0));
  const [toldClients, toldServers] = [told(clients), told(servers)];
  const done = cells.filter((cell) => cell !== undefined);
  if (done.length < pairs.length && signal?.aborted === true)
    problems.push('the matrix was interrupted: what had been reached is here, the rest is missing');
  return {
    clients: toldClients,
    servers: toldServers,
    cells: blame(done, toldClients, toldServers),
    problems,
    withoutEngine: [...clients, ...servers].filter(
      (party) => 'problem' in party && party.problem.kind === 'no-engine',
    ).length,
  };
}

async function readied<T>(manifest: Manifest, ready: () => Promise<T>): Promise<Party<T>> {
  try {
    return { manifest, ready: await ready() };
  } catch (error) {
    if (error instanceof TargetProblem) return { manifest, problem: error };
    throw error;
  }
}

async function cellOf(client: Manifest, server: Target, loot: Loot | undefined, store: Store): Promise<Cell> {
  const started = performance.now();
  await using pair = await startPair(client, server, store);
  const journeys = [];
  for (const journey of JOURNEYS) journeys.push(await goOn(journey, pair, loot));
  return {
    client: client.name,
    server: server.manifest.name,
    journeys,
    traffic: pair.observer.traffic,
    durationMs: Math.round(performance.now() - started),
  };
}

function settingsOf(store: Store): Parameters<typeof startTarget>[1] {
  const { server, trusted, tokenIssuer } = store;
  return {
    serverIdentity: server,
    clientAuthorities: trusted.certificate,
    serverAuthorities: trusted.certificate,
    issuer: tokenIssuer.issuer,
    audience: tokenIssuer.audience,
    jwks: jwks(tokenIssuer),
  };
}

function partyOf(party: Party<unknown>, reference: boolean): MatrixParty {
  const { name, title, homepage, version, start } = party.manifest;
  return {
    name,
    title,
    ...(homepage === undefined ? {} : { homepage }),
    ...(version === undefined ? {} : { version }),
    startedAs: start.kind,
    reference,
    ...('problem' in party ? { problem: `${party.problem.what}. ${party.problem.remedy}` } : {}),
  };
}
