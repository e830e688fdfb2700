import type { Identity } from '../../certs/identity.ts';
import { Agent } from '../counterpart/agent/agent.ts';
import { reachBeyondLoopback } from '../counterpart/agent/reach.ts';
import { startCounterpart } from '../counterpart/resource-server/server.ts';
import type { CounterpartServer } from '../counterpart/resource-server/contract.ts';
import { createDpopKey } from '../forge/dpop-proof.ts';
import type { Bench, BenchPlan } from '../scenario/client/client-setting.ts';
import type { Manifest } from '../target/manifest.ts';
import { Unjudgeable } from '../scenario/finding.ts';
import { startTarget } from '../target/start.ts';
import { TargetProblem } from '../target/target.ts';
import { originAt } from '../target/vantage.ts';
import type { Vantage } from '../target/vantage.ts';
import type { Target } from '../target/target.ts';

/** What the benches of one target have in common. */
export interface BenchSettings {
  readonly manifest: Manifest;
  /** The counterpart's certificate and key. */
  readonly server: Identity;
  /** PEM trust anchors for it. */
  readonly authorities: string;
  /** Where the clients see the counterpart. */
  readonly vantage: Vantage;
  /** How many clients run at once at most. */
  readonly most: number;
}

/** A client that runs with its counterpart, kept from one scenario to the next. */
interface Standing {
  readonly kind: string;
  readonly target: Target;
  readonly counterpart: CounterpartServer;
}

/**
 * The clients under test of one target: started as they are needed, at most so many at once, each used by one scenario
 * at a time and kept for the next one that wants a client of the same kind. Ends them all when disposed.
 */
export class Benches implements AsyncDisposable {
  /** The DPoP key that every client is started with, where it claims to know DPoP. */
  readonly dpopKey = createDpopKey("the client's DPoP key");
  readonly #settings: BenchSettings;
  readonly #free: Standing[] = [];
  readonly #all = new Set<Standing>();
  readonly #used = new WeakSet<Standing>();
  readonly #waiting: (() => void)[] = [];
  #taken = 0;
  #closed = false;

  constructor(settings: BenchSettings) {
    this.#settings = settings;
  }

  /**
   * Waits for a client of the kind that is free, or starts one.
   *
   * @throws {TargetProblem} where it cannot be started
   */
  async take(plan: BenchPlan): Promise<Bench> {
    while (this.#taken >= this.#settings.most)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken++;
    try {
      const standing = await this.#standing(plan);
      return this.#bench(standing, plan.own);
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  async #standing(plan: BenchPlan): Promise<Standing> {
    if (this.#closed) throw new Error('the benches are closed');
    this.#refuseWhatNobodyCanGive(plan);
    const kind = `${plan.identity.thumbprint} ${plan.proofClaims}`;
    if (!plan.own) {
      const index = this.#free.findIndex((standing) => standing.kind === kind);
      if (index >= 0) return this.#free.splice(index, 1)[0] ?? this.#start(kind, plan);
    }
    // Idle clients of another kind make room: they would only add up.
    const idle = this.#all.size >= this.#settings.most ? this.#free.shift() : undefined;
    if (idle !== undefined) await this.#end(idle);
    return this.#start(kind, plan);
  }

  /** A client that runs already is as it is. */
  #refuseWhatNobodyCanGive({ identity, proofClaims, own }: BenchPlan): void {
    if (this.#settings.manifest.start.kind !== 'url') return;
    const wanted = own
      ? 'a client of its own'
      : proofClaims === 'request'
        ? 'a client that is told to put claims of the request into its proofs'
        : identity.keyType === 'P-256'
          ? undefined
          : `a client with a ${identity.keyType} certificate`;
    if (wanted === undefined) return;
    throw new Unjudgeable(
      'not-applicable',
      'environment',
      `it needs ${wanted}, and the suite has not started this one`,
    );
  }

  async #start(kind: string, { identity, proofClaims }: BenchPlan): Promise<Standing> {
    const { manifest, server, authorities, vantage } = this.#settings;
    const counterpart = await this.#counterpart(server);
    try {
      const target = await startTarget(manifest, {
        clientIdentity: identity,
        serverAuthorities: authorities,
        upstream: originAt(vantage, counterpart.port),
        proofClaims,
        dpopKey: this.dpopKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      });
      const standing: Standing = { kind, target, counterpart };
      this.#all.add(standing);
      return standing;
    } catch (error) {
      await counterpart[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #counterpart(identity: Identity): Promise<CounterpartServer> {
    const { manifest, vantage } = this.#settings;
    try {
      return await startCounterpart({ identity, address: vantage.address, ...manifest.counterpart });
    } catch (error) {
      if (manifest.counterpart === undefined) throw error;
      throw new TargetProblem(
        'cannot-start',
        manifest.name,
        `the suite cannot listen on 127.0.0.1:${manifest.counterpart.port}, which this client calls: ${error instanceof Error ? error.message : String(error)}`,
        'End what listens there, or have the client call another port and say so with counterpart.port.',
      );
    }
  }

  #bench(standing: Standing, own: boolean): Bench {
    const { target, counterpart } = standing;
    const used = this.#used.has(standing);
    this.#used.add(standing);
    // Each scenario has connections of its own to the client, too.
    const agent = new Agent({ host: target.host, port: target.port });
    let rotated = false;
    return {
      counterpart,
      used,
      host: target.host,
      port: target.port,
      send: (request, timeoutMs) => agent.send(request, timeoutMs),
      rotate: async (identity) => {
        rotated = true;
        if (target.rotate === undefined) throw new Error('the suite has not started this client');
        await target.rotate(identity);
      },
      reachBeyondLoopback: async () => {
        if (target.manifest.start.kind === 'container')
          throw new Unjudgeable(
            'not-applicable',
            'environment',
            'the suite has published the port of its container, and on loopback only',
          );
        return reachBeyondLoopback(target.port);
      },
      alive: () => target.alive(),
      log: () => target.log(),
      [Symbol.asyncDispose]: async () => {
        await agent[Symbol.asyncDispose]();
        if (own || rotated || !target.alive() || this.#closed) await this.#end(standing);
        else this.#free.push(standing);
        this.#release();
      },
    };
  }

  #release(): void {
    this.#taken--;
    this.#waiting.shift()?.();
  }

  async #end(standing: Standing): Promise<void> {
    this.#all.delete(standing);
    await standing.target.stop();
    await standing.counterpart[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((standing) => this.#end(standing)));
  }
}
