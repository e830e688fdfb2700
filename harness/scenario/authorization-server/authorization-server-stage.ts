import { setTimeout as pause } from 'node:timers/promises';
import type { Identity } from '../../../certs/identity.ts';
import { ConnectFailure } from '../../wire/connection.ts';
import type { Connection, Field, WireRequest } from '../../wire/connection.ts';
import { Company } from '../company.ts';
import { describeDpop } from '../describe-dpop.ts';
import { dpopProofIn } from '../dpop-evidence.ts';
import { EvidenceBook } from '../evidence.ts';
import { read } from '../expectation.ts';
import type { Cause } from '../cause.ts';
import { FindingBook } from '../finding-book.ts';
import type { AttackStory } from '../finding-book.ts';
import { Unjudgeable } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { ExchangeEvidence, Permutation } from '../record.ts';
import type { ConnectPlan } from '../request.ts';
import type { Severity } from '../requirement.ts';
import type { AuthorizationServerScenario } from './authorization-server-scenario.ts';
import type { AuthorizationServerSetting } from './authorization-server-setting.ts';
import { readAnswer, tokenOf } from './issued.ts';
import type { Answer, IssuedToken, ReadableToken } from './issued.ts';
import { CLIENTS } from './registered-clients.ts';
import type { Registry } from './registered-clients.ts';

/** Parameters of a form; a list is sent as several parameters of that name, `undefined` leaves one out. */
export type Form = Readonly<Record<string, string | readonly string[] | undefined>>;

/** How a request is sent: by alice, on the scenario's usual connection, unless told otherwise. */
export interface RequestOptions {
  /** The client certificate; `null`: none. */
  readonly by?: Identity | null;
  /** A connection that differs from the usual one. */
  readonly connect?: Omit<ConnectPlan, 'identity'>;
  /** This very connection. */
  readonly on?: Connection;
  readonly fields?: readonly Field[];
  readonly part?: ExchangeEvidence['part'];
  readonly expected?: string;
}

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const LONGEST_PAUSE_MS = 10_000;
const METADATA_PATH = '/.well-known/oauth-authorization-server';

/** What a scenario of the authorization-server role plays on: requests to its endpoints, and the verbs that judge. */
export class AuthorizationServerStage implements AsyncDisposable {
  readonly setting: AuthorizationServerSetting;
  readonly permutation: Permutation;
  readonly evidence: EvidenceBook;
  readonly #book: FindingBook;
  readonly #company: Company;
  #metadata: Promise<Answer['json']> | undefined;
  #granted = 0;
  #refused = 0;

  constructor(
    setting: AuthorizationServerSetting,
    scenario: AuthorizationServerScenario,
    permutation: Permutation,
    severity: Severity,
  ) {
    this.setting = setting;
    this.permutation = permutation;
    this.evidence = new EvidenceBook(setting.effort);
    this.#book = new FindingBook(this.evidence, severity, scenario.cause);
    this.#company = new Company(setting, permutation, this.evidence);
  }

  get findings(): readonly Finding[] {
    return this.#book.findings;
  }

  get registry(): Registry {
    return this.setting.registry;
  }

  get identities(): Registry['identities'] {
    return this.setting.registry.identities;
  }

  get full(): boolean {
    return this.setting.profile === 'full';
  }

  /** Whether the target claims a capability. */
  claims(capability: string): boolean {
    return this.setting.target.capabilities.has(capability);
  }

  /** Whether a token was issued, and no request was refused. */
  get sawOnlyGranted(): boolean {
    return this.#granted > 0 && this.#refused === 0;
  }

  /** The server's metadata (RFC 8414 §3). */
  metadata(): Promise<Answer['json']> {
    this.#metadata ??= this.send('the metadata', 'GET', METADATA_PATH, {}).then(
      ({ status, json, text, outcome }) =>
        status === 200
          ? json
          : this.inconclusive(
              `there is no metadata at ${METADATA_PATH} (${text}); see RFC 8414 §3`,
              outcome.type === 'failure' && outcome.kind === 'refused' ? 'environment' : 'target',
            ),
    );
    return this.#metadata;
  }

  /**
   * The path of an endpoint of the metadata; the one for mutual TLS where there are two (RFC 8705 §5).
   *
   * @param name such as `token_endpoint`; a path, such as of the endpoint without mutual TLS, stays as it is
   */
  async endpoint(name: string): Promise<string> {
    if (name.startsWith('/')) return name;
    const { mtls_endpoint_aliases: aliases, [name]: usual } = await this.metadata();
    const value = Object.entries(aliases ?? {}).find(([alias]) => alias === name)?.[1] ?? usual;
    const url = typeof value === 'string' ? URL.parse(value) : null;
    if (url === null) return this.inconclusive(`the metadata has no ${name}; see RFC 8414 §2`);
    return `${url.pathname}${url.search}`;
  }

  /** Sends any request and judges nothing. A connection that the target refuses is an answer too. */
  async send(
    what: string,
    method: string,
    target: string,
    options: RequestOptions & { readonly body?: string },
  ): Promise<Answer> {
    const { fields = [], body, part = 'request', expected = 'recorded' } = options;
    const request: WireRequest = {
      method,
      target,
      authority: this.#authority,
      fields: [...accepting(fields), ...(body === undefined ? [] : [lengthOf(body)])],
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    };
    const sent = await this.#transmit(request, options);
    for (const secret of secretsOf(sent.outcome)) this.evidence.conceal(secret);
    this.evidence.conceal(this.registry.secret);
    const { connection, outcome } = sent;
    const answer = readAnswer(0, outcome);
    if (tokenOf(answer) !== null) this.#granted++;
    if (answer.status === 0 || answer.status >= 400) this.#refused++;
    if (connection === null) return answer;
    const id = this.evidence.exchanged({
      sent: {
        connection,
        request,
        defaultAuthority: this.#authority,
        token: null,
        proofs: [],
        now: Math.floor(Date.now() / 1000),
      },
      description: () => describeTokenRequest(request),
      part,
      what,
      outcome,
      expected,
      observed: answer.text,
    });
    return { ...answer, id };
  }

  async #transmit(request: WireRequest, options: RequestOptions) {
    const { by, connect = {}, on } = options;
    const plan: ConnectPlan = { ...connect, identity: by === undefined ? this.identities.alice : by };
    try {
      const first = on === undefined ? await this.#company.usual(plan) : { connection: on, fresh: true };
      const outcome = await first.connection.send(request, this.setting.patienceMs);
      // A target may end an idle connection at any time (RFC 9112 §9.5): that is no answer to this request.
      const idle = outcome.type === 'failure' && (outcome.kind === 'closed' || outcome.kind === 'reset');
      if (!idle || first.fresh) return { connection: first.connection, outcome };
      const again = await this.#company.usual(plan);
      return {
        connection: again.connection,
        outcome: await again.connection.send(request, this.setting.patienceMs),
      };
    } catch (error) {
      if (!(error instanceof ConnectFailure)) throw error;
      return { connection: null, outcome: error.outcome };
    }
  }

  get #authority(): string {
    const { hostname, port } = this.setting.target;
    return `${hostname}:${port}`;
  }

  /** Posts a form to an endpoint of the metadata. */
  async post(what: string, endpoint: string, form: Form, options: RequestOptions = {}): Promise<Answer> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(form)) {
      for (const one of value === undefined ? [] : [value].flat()) parameters.append(name, one);
    }
    return this.send(what, 'POST', await this.endpoint(endpoint), {
      ...options,
      fields: [['Content-Type', 'application/x-www-form-urlencoded'], ...(options.fields ?? [])],
      body: parameters.toString(),
    });
  }

  /** Asks for a token by client credentials. */
  requestToken(
    what: string,
    form: Form = {},
    options: RequestOptions = {},
    clientId: string = CLIENTS.bound,
  ): Promise<Answer> {
    return this.post(
      what,
      'token_endpoint',
      { grant_type: 'client_credentials', client_id: clientId, ...form },
      options,
    );
  }

  /** Asks for a token in exchange for another (RFC 8693 §2.1). */
  requestExchange(
    what: string,
    subject: IssuedToken,
    clientId: string,
    form: Form = {},
    options: RequestOptions = {},
  ): Promise<Answer> {
    return this.post(
      what,
      'token_endpoint',
      {
        grant_type: TOKEN_EXCHANGE,
        client_id: clientId,
        subject_token: subject.compact,
        subject_token_type: ACCESS_TOKEN,
        ...form,
      },
      options,
    );
  }

  /** Asks about a token (RFC 7662 §2.1), as the resource server that it is for. */
  introspect(
    what: string,
    token: IssuedToken,
    options: RequestOptions = {},
    clientId: string = this.registry.audience,
  ): Promise<Answer> {
    return this.post(
      what,
      'introspection_endpoint',
      { token: token.compact, client_id: clientId },
      { by: this.identities.resource, ...options },
    );
  }

  /** Registers a client (RFC 7591 §3.1); needs the capability `registration`. */
  async register(what: string, metadata: object): Promise<Answer> {
    return this.send(what, 'POST', await this.endpoint('registration_endpoint'), {
      fields: [['Content-Type', 'application/json']],
      body: JSON.stringify(metadata),
    });
  }

  /** A token that the scenario rests on; where none is issued, nothing can be judged. */
  async token(
    what = 'a session-bound token',
    form: Form = {},
    options: RequestOptions = {},
    clientId: string = CLIENTS.bound,
  ): Promise<IssuedToken> {
    const answer = await this.requestToken(
      what,
      form,
      { part: 'control', expected: 'a token', ...options },
      clientId,
    );
    return (
      tokenOf(answer) ?? this.inconclusive(`${what}: no token was issued to ${clientId} (${answer.text})`)
    );
  }

  /** A token that the scenario looks into. */
  async jwt(
    what = 'a session-bound token',
    form: Form = {},
    options: RequestOptions = {},
    clientId: string = CLIENTS.bound,
  ): Promise<ReadableToken> {
    const { compact, header, claims } = await this.token(what, form, options, clientId);
    return header === null || claims === null
      ? this.notApplicable('its access tokens are opaque: what they say is seen by introspection alone')
      : { compact, header, claims };
  }

  /** Judged: the answer is an OAuth error, and gives no token. A server error is no refusal to be proud of. */
  refuses(what: string, answer: Answer, cause?: Cause | null): void {
    if (answer.status === 0) {
      if (read(answer.outcome).kind === 'no-answer') this.#book.unmeasured(`${what}: ${answer.text}`);
      return;
    }
    if (answer.status >= 500)
      this.#book.warned(
        `${what}: answered ${answer.text}: refused, but as a failure of the target's own`,
        'An error while checking the request is not caught. Answer with an error of RFC 6749 §5.2.',
      );
    const given = ['access_token', 'refresh_token'].filter((name) => name in answer.json);
    if (answer.status >= 400 && given.length === 0) return;
    const reason = `${what}: answered ${answer.text}${given.length > 0 ? ` with ${given.join(' and ')}` : ''}, must be refused`;
    const deviation = answer.status < 300 || given.length > 0 ? 'served' : 'other-manner';
    // An error without an access token refuses, though in a form that a client may take for success.
    const isRefusal = typeof answer.json['error'] === 'string' && !given.includes('access_token');
    this.#book.broken(reason, deviation, isRefusal ? { [deviation]: HALF_REFUSED } : cause);
  }

  /** Judged: a statement that the scenario has worked out itself. */
  holds(holds: boolean, otherwise: string, cause?: Cause | null): void {
    if (!holds) this.#book.broken(otherwise, 'statement', cause);
  }

  /** An observation where the draft leaves the matter open. Makes the verdict `info` when nothing graver is found. */
  observe(observation: string): void {
    this.#book.observed(observation);
  }

  /** Tells an attack from end to end; judged by whether any attempt succeeded. */
  attack(story: AttackStory, cause?: Cause | null): void {
    this.#book.attacked(story, cause);
  }

  /** Opens a connection of its own; alice's unless told otherwise. */
  async connect(plan: ConnectPlan = {}): Promise<Connection> {
    const opened = await this.#company.tryOpen({ identity: this.identities.alice, ...plan });
    if (!(opened instanceof ConnectFailure)) return opened;
    return this.inconclusive(
      `a connection that the scenario needs was not established: ${opened.outcome.detail}`,
      opened.outcome.kind === 'refused' ? 'environment' : 'target',
    );
  }

  /**
   * Lets time pass, for requirements about time itself.
   *
   * @param instant milliseconds since the epoch, a few seconds ahead at most
   */
  async until(instant: number): Promise<void> {
    await pause(Math.min(Math.max(0, instant - Date.now()), LONGEST_PAUSE_MS));
  }

  /** A remark for the reader of the evidence; no bearing on the verdict. */
  note(text: string): void {
    this.evidence.note(text);
  }

  /** Ends the scenario: it does not apply to this target. */
  notApplicable(reason: string): never {
    throw new Unjudgeable('not-applicable', 'target', this.evidence.redact(reason));
  }

  /** Ends the scenario: it could not be measured. */
  inconclusive(reason: string, attribution: 'target' | 'harness' | 'environment' = 'target'): never {
    throw new Unjudgeable('inconclusive', attribution, this.evidence.redact(reason));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#company.disperse();
  }
}

/** An error that looks like success, or comes with what was asked for. */
const HALF_REFUSED =
  'The request is refused, but with a status of success or with a refresh token beside the error. An error response has status 400 or 401 and nothing of what was asked for (RFC 6749 §5.2).';

/** JSON is asked for, unless the fields ask for something else. */
function accepting(fields: readonly Field[]): readonly Field[] {
  return fields.some(([name]) => name === 'Accept') ? fields : [['Accept', 'application/json'], ...fields];
}

/** HTTP/2 can do without it (RFC 9113 §8.1.1), but HTTP clients send it, and servers have come to rely on it. */
function lengthOf(body: string): Field {
  return ['Content-Length', String(Buffer.byteLength(body))];
}

/** What of a request is described: its DPoP proof. */
function describeTokenRequest({ fields }: WireRequest): ReadonlyMap<string, string> {
  const proof = dpopProofIn(fields);
  const description = new Map<string, string>();
  const [proofs, now] = [proof === undefined ? [] : [proof], Math.floor(Date.now() / 1000)];
  const nobody = { keys: [], nonces: new Set<string>(), proofIdsSeen: new Set<string>() };
  describeDpop({ proofs, fields, token: null, now, ...nobody }, description);
  return description;
}

/** Tokens in a response: evidence names them by their hash. */
function secretsOf(outcome: Parameters<typeof readAnswer>[1]): readonly string[] {
  const { json } = readAnswer(0, outcome);
  return ['access_token', 'refresh_token', 'client_secret', 'registration_access_token'].flatMap((name) => {
    const value = json[name];
    return typeof value === 'string' ? [value] : [];
  });
}
