import type { Connection, ConnectOptions } from '../wire/connection.ts';
import { ConnectFailure } from '../wire/connection.ts';
import { Unjudgeable } from './finding.ts';
import type { EvidenceBook } from './evidence.ts';
import type { Permutation } from './record.ts';
import type { ConnectPlan } from './request.ts';
import { rightfulClient } from './setting.ts';
import type { Setting } from './setting.ts';

/** What of a setting connections depend on. */
export type ConnectionSetting = Pick<Setting, 'credentials' | 'pki' | 'open' | 'patienceMs'> & {
  readonly target: Pick<Setting['target'], 'host' | 'port' | 'hostname' | 'serverAuthorities'>;
};

/** The connections of one scenario: opened, counted, named, and closed at its end. */
export class Company {
  readonly #setting: ConnectionSetting;
  readonly #permutation: Permutation;
  readonly #evidence: EvidenceBook;
  readonly #all: Connection[] = [];
  /** The scenario's own connection of each kind, by what the plan says. */
  readonly #usual = new Map<string, Connection>();
  #named = 0;
  #dispersed = false;

  constructor(setting: ConnectionSetting, permutation: Permutation, evidence: EvidenceBook) {
    this.#setting = setting;
    this.#permutation = permutation;
    this.#evidence = evidence;
  }

  get connections(): readonly Connection[] {
    return this.#all;
  }

  nextId(): string {
    return `c${++this.#named}`;
  }

  options(plan: ConnectPlan): ConnectOptions {
    const { target } = this.#setting;
    return {
      host: target.host,
      port: target.port,
      servername: target.hostname,
      serverAuthorities: target.serverAuthorities,
      tls: this.#permutation.tls,
      http: this.#permutation.http,
      identity: rightfulClient(this.#setting, this.#permutation),
      timeoutMs: this.#setting.patienceMs,
      ...plan,
    };
  }

  async tryOpen(plan: ConnectPlan): Promise<Connection | ConnectFailure> {
    const options = this.options(plan);
    const id = this.nextId();
    this.#refuseLatecomer();
    try {
      return this.adopt(await this.#setting.open(options, id));
    } catch (error) {
      if (!(error instanceof ConnectFailure)) throw error;
      this.#evidence.notConnected(id, options, error.outcome);
      return error;
    }
  }

  adopt<C extends Connection>(connection: C): C {
    if (this.#dispersed) void connection[Symbol.asyncDispose]();
    this.#refuseLatecomer();
    this.#all.push(connection);
    this.#evidence.connected(connection);
    return connection;
  }

  /**
   * The scenario's own connection of this kind: opened when first used, opened anew when it has ended.
   *
   * @throws {ConnectFailure}
   */
  async usual(plan: ConnectPlan): Promise<{ readonly connection: Connection; readonly fresh: boolean }> {
    const key = kind(plan);
    const before = this.#usual.get(key);
    // With one token only, a pair of connection and token is new just once: on a new connection.
    if (before?.open === true && this.#setting.credentials === null)
      return { connection: before, fresh: false };
    const opened = await this.tryOpen(plan);
    if (opened instanceof ConnectFailure) throw opened;
    this.#usual.set(key, opened);
    return { connection: opened, fresh: true };
  }

  /** A scenario that is out of time goes on to its next step, and would leave behind what it opens then. */
  #refuseLatecomer(): void {
    if (this.#dispersed)
      throw new Unjudgeable(
        'inconclusive',
        'harness',
        'a connection was asked for after the scenario had ended',
      );
  }

  async disperse(): Promise<void> {
    this.#dispersed = true;
    await Promise.all(this.#all.map((connection) => connection[Symbol.asyncDispose]()));
  }
}

function kind(plan: ConnectPlan): string {
  return JSON.stringify(plan, (name, value: unknown) => {
    if (name === 'identity' && typeof value === 'object' && value !== null && 'certificate' in value)
      return value.certificate;
    return value;
  });
}
