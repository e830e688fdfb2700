import { createHash, X509Certificate } from 'node:crypto';
import type { Identity } from '../../../certs/identity.ts';
import type { AgentRequest } from '../../counterpart/agent/agent.ts';
import type {
  Answer,
  CounterpartServer,
  Script,
  TransportPlan,
  UpstreamConnection,
  UpstreamFacts,
  UpstreamRequest,
} from '../../counterpart/resource-server/contract.ts';
import { forgeProof } from '../../forge/proof.ts';
import type { ProofChange } from '../../forge/proof.ts';
import type { Field, Outcome } from '../../wire/connection.ts';
import { EXPORTER_LABEL } from '../../wire/exporter.ts';
import { ALWAYS } from '../cause.fixture.ts';
import { CORE } from '../permutation.ts';
import type { Permutation } from '../record.ts';
import type { Severity } from '../requirement.ts';
import { failure, issuer, pki, response } from '../target.fixture.ts';
import { tokenIn } from './arrival.ts';
import { clientSuite } from './client-scenario.ts';
import type { ClientScenario, ClientScenarioDefinition } from './client-scenario.ts';
import type { Bench, BenchPlan, ClientSetting } from './client-setting.ts';
import { ClientStage } from './client-stage.ts';

const UPSTREAM = 'rs.tsbt.test';
const PORT = 8443;
/** What the counterpart sees of every request that nobody says otherwise of. */
export const AUTHORITY = `${UPSTREAM}:${PORT}`;

/** What an upstream connection is made of, where it is not the usual. */
export interface UpstreamPlan {
  /** Whose certificate the client presents; `null`: none. */
  readonly identity?: Identity | null;
  readonly facts?: Partial<UpstreamFacts>;
}

/** A connection without a socket. Its exporter values are hashes of its name and the derivation. */
export function upstream(
  id = 'c1',
  { identity = pki.alice['P-256'], facts = {} }: UpstreamPlan = {},
): UpstreamConnection {
  const tls = facts.tls ?? 'TLSv1.3';
  return {
    id,
    facts: {
      tls,
      cipher: 'TLS_AES_128_GCM_SHA256',
      alpn: 'http/1.1',
      extendedMasterSecret: true,
      resumed: false,
      serverName: UPSTREAM,
      clientPort: 1,
      exporterCheck: 'key-log',
      handshakeMs: 3,
      ...facts,
    },
    clientChain: identity === null ? [] : [new X509Certificate(identity.certificate)],
    open: true,
    ending: undefined,
    requests: [],
    exporter: ({ label = EXPORTER_LABEL, context = Buffer.alloc(0), length = 32 } = {}) => {
      // The form without context is another value on TLS 1.2 only (RFC 5705 §4).
      const form = context === null && tls === 'TLSv1.2' ? 'absent' : 'given';
      const seed = [id, label, form, Buffer.from(context ?? []).toString('hex')].join('|');
      return createHash('sha512').update(seed).digest().subarray(0, length);
    },
    tlsUnique: undefined,
    serverEndPoint: Buffer.alloc(32, 2),
    clientRandom: Buffer.alloc(32, 3),
    sessionId: undefined,
    end: async () => undefined,
    reset: () => undefined,
    goAway: () => undefined,
    awaitEnd: async () => undefined,
    renegotiate: async () => 'nothing is renegotiated on paper',
    keyUpdate: () => undefined,
    earlyData: Buffer.alloc(0),
  };
}

/** A request that has arrived at the counterpart: by default an answered `GET /resource` without fields. */
export function arrived(request: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    id: 1,
    connection: upstream(),
    method: 'GET',
    target: '/resource',
    authority: AUTHORITY,
    fields: [],
    body: Buffer.alloc(0),
    trailers: [],
    complete: true,
    receivedAt: Date.now(),
    answer: { kind: 'response', status: 200, fields: [], body: '' },
    ...request,
  };
}

type Sent = Partial<Pick<UpstreamRequest, 'method' | 'target' | 'authority' | 'body' | 'receivedAt'>>;

/** A resource server without a socket: it keeps a book of what reaches it, and answers by its script. */
class PaperServer implements CounterpartServer {
  readonly host = '127.0.0.1';
  readonly port = PORT;
  readonly connections: UpstreamConnection[] = [];
  readonly requests: UpstreamRequest[] = [];
  readonly failedHandshakes: { readonly reason: string }[] = [];
  readonly faults: string[] = [];
  readonly opensslUnavailable = 'all is on paper';
  /** How connections are met: as begun with, and each change since. */
  readonly plans: TransportPlan[] = [];
  #script: Script | undefined;

  async begin(plan: TransportPlan, script: Script): Promise<void> {
    this.meet(plan);
    this.answerWith(script);
  }

  meet(plan: TransportPlan): void {
    this.plans.push(plan);
  }

  answerWith(script: Script): void {
    this.#script = script;
  }

  /** The client under test connects. */
  connect(identity: Identity | null): UpstreamConnection {
    const { tls = 'none', http: alpn = 'none' } = this.plans.at(-1) ?? {};
    const made = upstream(`c${this.connections.length + 1}`, { identity, facts: { tls, alpn } });
    this.connections.push(made);
    return made;
  }

  /** A request of the client under test arrives. */
  async receive(connection: UpstreamConnection, fields: readonly Field[], sent: Sent = {}): Promise<Answer> {
    if (this.#script === undefined) throw new Error('the counterpart has not begun');
    const id = this.requests.length + 1;
    const request = {
      ...arrived({ id, connection, fields, ...sent }),
      answer: undefined as Answer | undefined,
    };
    this.requests.push(request);
    request.answer = await this.#script(request);
    return request.answer;
  }

  readonly awaitRequest = () => notOnPaper('waits for a request');
  readonly answerEarly = (): void => undefined;
  readonly refuseConnections = () => notOnPaper('refuses connections');

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** What a client under test can do: connect to the resource server, and send it requests. */
export type Upstream = Pick<PaperServer, 'connect' | 'receive'> & {
  /** The certificate and key that it was given last. */
  readonly identity: Identity;
};

/** A client under test: from the agent's request to what arrives at the counterpart, and to what the agent gets. */
export type Client = (request: AgentRequest, upstream: Upstream) => Promise<Outcome>;

/** What the agent gets of an answer of the resource server. */
export function relayed(answer: Answer): Outcome {
  return answer.kind === 'response'
    ? response(answer.status, answer.fields, answer.body)
    : failure('closed', `the resource server did ${answer.kind}`);
}

/**
 * A client that keeps one connection, and sends every token with a proof.
 *
 * @param change what is wrong with its proofs
 * @param carried the fields that carry a proof
 */
export function proving(
  change: ProofChange = {},
  carried: (proof: string) => readonly Field[] = (proof) => [['Session-Binding-Proof', proof]],
): Client {
  let connection: UpstreamConnection | undefined;
  return async ({ method, target, fields, body }, { identity, connect, receive }) => {
    connection ??= connect(identity);
    const token = tokenIn({ fields });
    const ekm = connection.exporter();
    const proof = token === null ? [] : carried(forgeProof({ token, ekm, identity }, change));
    const octets = body instanceof Uint8Array ? { body: Buffer.from(body) } : {};
    return relayed(await receive(connection, [...fields, ...proof], { method, target, ...octets }));
  };
}

/** A client that never makes a proof. */
export const unproven: Client = proving({}, () => []);

/** A client that makes its proofs on its first connection, and sends them on another. */
export function confusing(): Client {
  const right = proving();
  let first: UpstreamConnection | undefined;
  return (request, { identity, connect, receive }) => {
    first ??= connect(identity);
    const [made, used] = [first, connect(identity)];
    return right(request, {
      identity,
      connect: () => made,
      receive: (_, ...sent) => receive(used, ...sent),
    });
  };
}

/** A client that reaches nobody. */
export const deaf: Client = async () => failure('timeout', 'nothing came');

/** What a setting is made of, where it is not the usual one. */
export interface Paper {
  readonly client?: Client;
  /** What befalls the counterpart before the scenario begins. */
  readonly server?: (server: PaperServer) => void;
  readonly setting?: Partial<ClientSetting>;
  readonly bench?: Partial<Bench>;
}

/** What came to be of a setting on paper. */
export interface Happened {
  readonly server: PaperServer;
  /** What clients were asked for. */
  readonly wanted: BenchPlan[];
  /** What the agent sent, with the time it was given. */
  readonly asked: (readonly [request: AgentRequest, timeoutMs: number])[];
  /** The certificates that the client was handed while it ran. */
  readonly rotated: Identity[];
  /** How often a client was given back. */
  disposed: number;
}

/** A setting whose client under test is a function. */
export function onPaper(paper: Paper = {}): { readonly setting: ClientSetting; readonly happened: Happened } {
  const { client = proving() } = paper;
  const server = new PaperServer();
  const happened: Happened = { server, wanted: [], asked: [], rotated: [], disposed: 0 };
  paper.server?.(server);
  const bench = async (plan: BenchPlan): Promise<Bench> => {
    happened.wanted.push(plan);
    return {
      counterpart: server,
      used: !plan.own,
      host: '127.0.0.1',
      port: 1,
      send: (request, timeoutMs) => {
        happened.asked.push([request, timeoutMs]);
        return client(request, {
          identity: happened.rotated.at(-1) ?? plan.identity,
          connect: (identity) => server.connect(identity),
          receive: (...arriving) => server.receive(...arriving),
        });
      },
      rotate: async (identity) => void happened.rotated.push(identity),
      reachBeyondLoopback: async () => ({ tried: ['192.0.2.1'], accepting: [] }),
      alive: () => true,
      log: () => ['it runs'],
      [Symbol.asyncDispose]: async () => void happened.disposed++,
      ...paper.bench,
    };
  };
  const setting: ClientSetting = {
    target: { name: 'paper', capabilities: new Set(['tls1.3', 'http/1.1']) },
    profile: 'core',
    strict: false,
    pki,
    issuer,
    dpopKey: null,
    upstreamName: UPSTREAM,
    bench,
    stranger: () => notOnPaper('is a stranger'),
    canary: () => notOnPaper('sings'),
    issue: () => notOnPaper('is issued'),
    patienceMs: 1234,
    effort: 'full',
    ...paper.setting,
  };
  return { setting, happened };
}

/** A scenario of the client role, where it is not the usual one. */
export function scenarioOf(definition: Partial<ClientScenarioDefinition> = {}): ClientScenario {
  const [scenario] = clientSuite('paper', [
    { id: 'CL-X-1', title: 'does what it should', cause: ALWAYS, run: async () => {}, ...definition },
  ]);
  if (scenario === undefined) throw new Error('one definition makes one scenario');
  return scenario;
}

/** The stage of a scenario with a client under test on paper. */
export async function stageOn(
  paper: Paper = {},
  {
    severity = 'fail',
    permutation = CORE,
    scenario = {},
  }: {
    readonly severity?: Severity;
    readonly permutation?: Permutation;
    readonly scenario?: Partial<ClientScenarioDefinition>;
  } = {},
): Promise<{ readonly stage: ClientStage; readonly happened: Happened; readonly setting: ClientSetting }> {
  const { setting, happened } = onPaper(paper);
  const stage = await ClientStage.open(setting, scenarioOf(scenario), permutation, severity);
  return { stage, happened, setting };
}

/** The values of the fields of that name, in any letter case. */
export function valuesOf(fields: readonly Field[], wanted: string): readonly string[] {
  return fields.filter(([name]) => name.toLowerCase() === wanted.toLowerCase()).map(([, value]) => value);
}

function notOnPaper(what: string): Promise<never> {
  return Promise.reject(new Error(`nothing ${what} on paper`));
}
