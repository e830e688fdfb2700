import type { Authority, Identity } from '../../../certs/identity.ts';
import type { IssueRequest } from '../../../certs/issue.ts';
import type { Pki } from '../../../certs/pki.ts';
import type { TokenIssuer } from '../../../certs/token-issuer.ts';
import type { AgentRequest } from '../../counterpart/agent/agent.ts';
import type { Reach } from '../../counterpart/agent/reach.ts';
import type { CounterpartServer } from '../../counterpart/resource-server/contract.ts';
import type { DpopKey } from '../../forge/dpop-proof.ts';
import type { Canary } from '../../wire/canary.ts';
import type { Outcome } from '../../wire/connection.ts';

/** Which client under test a scenario wants. */
export interface BenchPlan {
  /** The certificate and key that it is started with. */
  readonly identity: Identity;
  readonly proofClaims: 'connection' | 'request';
  /** True where what the scenario does to it must not reach another scenario: it gets an instance of its own. */
  readonly own: boolean;
}

/** A client under test that runs, with the resource server behind it and an agent in front: one scenario's at a time. */
export interface Bench extends AsyncDisposable {
  readonly counterpart: CounterpartServer;
  /** Whether another scenario had it before. */
  readonly used: boolean;
  /** Where the client serves its agents. */
  readonly host: string;
  readonly port: number;
  send(request: AgentRequest, timeoutMs: number): Promise<Outcome>;
  /** Hands the client another certificate and key (`certificate-rotation`). */
  rotate(identity: Identity): Promise<void>;
  /** Tries to connect to the client at addresses of this machine other than loopback. */
  reachBeyondLoopback(): Promise<Reach>;
  /** Whether it still runs. */
  alive(): boolean;
  /** The last lines of its log. */
  log(): readonly string[];
}

/** What the harness puts at the disposal of scenarios of the client role. */
export interface ClientSetting {
  readonly target: { readonly name: string; readonly capabilities: ReadonlySet<string> };
  readonly profile: 'core' | 'full';
  readonly strict: boolean;
  readonly pki: Pki;
  readonly issuer: TokenIssuer;
  /** The DPoP key that the client was started with; `null` where the suite has not started it. */
  readonly dpopKey: DpopKey | null;
  /** The name under which the client is to call the suite's servers. */
  readonly upstreamName: string;
  /** Waits for a client that is free, or starts one. Throws `TargetProblem` where none can be started. */
  bench(plan: BenchPlan): Promise<Bench>;
  /** Another resource server, at another port, that the client has no business with. */
  stranger(): Promise<CounterpartServer>;
  /** A plain HTTP server, and one of TLS that nobody trusts, which record what comes. */
  canary(): Promise<Canary>;
  issue(authority: Authority, request: IssueRequest): Promise<Identity>;
  /** How long a response may take, in milliseconds. */
  readonly patienceMs: number;
  readonly effort: 'full' | 'light';
}
