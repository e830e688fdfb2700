import { hash } from 'node:crypto';
import { readJwt } from '../forge/read.ts';
import type { ConnectionFacts, ConnectOptions, Outcome, WireFailure } from '../wire/connection.ts';
import type { Sent, Description } from './describe.ts';
import { dpopProofIn, hashOf, isDpopField, withoutDpopProofs } from './dpop-evidence.ts';
import type {
  AttackEvidence,
  ConnectionEvidence,
  DecodedJwt,
  Evidence,
  ExchangeEvidence,
  Measurement,
  PairEvidence,
} from './record.ts';
import { shallow } from './shallow.ts';

const LONGEST_TEXT = 4096;
/** A scenario of thousands of requests keeps so many of them, the first ones, beside controls, variants and surprises. */
const MOST_REQUESTS = 24;
const MOST_EXCHANGES = 120;
const MOST_CONNECTIONS = 60;

/** What evidence tells of a connection, seen from either end. */
export interface TellingConnection {
  readonly id: string;
  readonly options: Pick<ConnectOptions, 'identity'>;
  readonly facts: Omit<ConnectionFacts, 'localPort'>;
}

/** Gathers what a scenario leaves behind, with every access token and every DPoP proof redacted. */
export class EvidenceBook {
  readonly #connections: ConnectionEvidence[] = [];
  readonly #exchanges: ExchangeEvidence[] = [];
  readonly #pairs: PairEvidence[] = [];
  readonly #notes: string[] = [];
  readonly #measurements: Measurement[] = [];
  readonly #secrets = new Map<string, string>();
  readonly #started = performance.now();
  #attack: AttackEvidence | undefined;
  #count = 0;
  #dropped = 0;
  #requests = 0;
  readonly #effort: 'full' | 'light';

  /** @param effort `light` keeps no exchanges */
  constructor(effort: 'full' | 'light' = 'full') {
    this.#effort = effort;
  }

  /** From now on this token appears in evidence by its hash only, also as forms, URLs and JSON write it. */
  conceal(token: string): void {
    if (token.length < 8 || this.#secrets.has(token)) return;
    const name = `<token sha-256 ${hash('sha256', token).slice(0, 16)}…>`;
    for (const written of spellingsOf(token)) this.#secrets.set(written, name);
  }

  connected(connection: TellingConnection): void {
    const { facts, options } = connection;
    this.#connections.push({
      id: connection.id,
      tls: facts.tls,
      cipher: facts.cipher,
      alpn: facts.alpn,
      extendedMasterSecret: facts.extendedMasterSecret,
      resumed: facts.resumed,
      exporterCheck: facts.exporterCheck,
      handshakeMs: round(facts.handshakeMs),
      ...(facts.certificateWithheld === undefined
        ? { clientCertificate: certificateOf(options) }
        : { clientCertificate: null, certificateWithheld: facts.certificateWithheld }),
    });
  }

  notConnected(id: string, options: ConnectOptions, failure: WireFailure): void {
    this.#connections.push({
      id,
      tls: options.tls,
      cipher: '',
      alpn: options.http,
      extendedMasterSecret: options.extendedMasterSecret !== false,
      resumed: false,
      exporterCheck: 'not-checked',
      handshakeMs: round(failure.durationMs),
      clientCertificate: certificateOf(options),
      failure: this.#redact(failure.detail),
    });
  }

  /** Records an exchange; returns its id. */
  exchanged(entry: {
    readonly sent: Sent;
    /** Makes the description; asked for only where the exchange is kept. */
    readonly description: () => Description;
    readonly part: ExchangeEvidence['part'];
    readonly what: string;
    readonly outcome: Outcome;
    readonly expected: string;
    readonly observed: string;
  }): number {
    const id = ++this.#count;
    if (this.#effort === 'light') return id;
    if (!this.#keeps(entry)) {
      this.#dropped++;
      return id;
    }
    const { sent, outcome } = entry;
    const { request } = sent;
    const proof = sent.proofs[0];
    const dpop = dpopProofIn(request.fields);
    const description = entry.description();
    this.#exchanges.push({
      id,
      connection: sent.connection.id,
      part: entry.part,
      what: entry.what,
      request: {
        method: request.method,
        target: this.#redact(request.target),
        fields: request.fields.map(([name, value]) => [name, this.#field(name, value)] as const),
        ...(request.body === undefined
          ? {}
          : { body: this.#redact(Buffer.from(request.body).toString('latin1')) }),
      },
      ...(sent.token === null || sent.token === '' ? {} : { token: this.#token(sent, description) }),
      ...(proof === undefined
        ? {}
        : { proof: { ...decoded(proof, description.get('proof.signature')), compact: this.#redact(proof) } }),
      ...(dpop === undefined
        ? {}
        : { dpop: { sha256: hashOf(dpop), ...decoded(dpop, description.get('dpop.signature')) } }),
      response: this.#response(outcome),
      expected: entry.expected,
      observed: this.#redact(entry.observed),
      startedMs: round(performance.now() - this.#started - outcome.durationMs),
      durationMs: round(outcome.durationMs),
    });
    return id;
  }

  /** Whether a further exchange is told in full: a plain request that went as expected is not, after the first ones. */
  #keeps({
    part,
    expected,
    outcome,
  }: {
    readonly part: ExchangeEvidence['part'];
    readonly expected: string;
    readonly outcome: Outcome;
  }): boolean {
    if (part !== 'request') return true;
    if (this.#requests++ < MOST_REQUESTS) return true;
    const served = outcome.type === 'response' && outcome.status >= 200 && outcome.status < 300;
    const surprising = (expected === 'served' && !served) || (expected === 'refused' && served);
    return surprising && this.#exchanges.length < MOST_EXCHANGES;
  }

  paired(pair: PairEvidence): void {
    const difference = pair.difference.map(({ field, control, variant }) => ({
      field,
      control: withoutDpopProofs(control),
      variant: withoutDpopProofs(variant),
    }));
    this.#pairs.push({ ...pair, difference, observed: this.#redact(pair.observed) });
  }

  note(text: string): void {
    const redacted = this.#redact(text);
    if (!this.#notes.includes(redacted)) this.#notes.push(redacted);
  }

  measured(measurement: Measurement): void {
    this.#measurements.push({ ...measurement, value: round(measurement.value) });
  }

  attacked(attack: AttackEvidence): void {
    this.#attack = attack;
  }

  /** Takes access tokens and DPoP proofs out of a text that goes into the record. */
  redact(text: string): string {
    return this.#redact(text);
  }

  close(): Evidence {
    if (this.#dropped > 0) this.note(`${this.#dropped} further exchanges of ${this.#count} are not shown`);
    return {
      connections: this.#telling(),
      exchanges: this.#exchanges,
      pairs: this.#pairs,
      ...(this.#attack === undefined ? {} : { attack: this.#attack }),
      notes: this.#notes,
      ...(this.#measurements.length === 0 ? {} : { measurements: this.#measurements }),
    };
  }

  /** Every connection, or where there were very many, those that the exchanges shown went out on. */
  #telling(): readonly ConnectionEvidence[] {
    if (this.#connections.length <= MOST_CONNECTIONS) return this.#connections;
    const used = new Set(this.#exchanges.map((exchange) => exchange.connection));
    const telling = this.#connections.filter(({ id }) => used.has(id));
    this.note(
      `${this.#connections.length - telling.length} further connections of ${this.#connections.length} are not shown`,
    );
    return telling;
  }

  #token(sent: Sent, description: Description): ExchangeEvidence['token'] & object {
    const token = sent.token ?? '';
    const sha256 = hash('sha256', token);
    if (sent.opaqueClaims !== undefined)
      return {
        sha256,
        header: null,
        claims: sent.opaqueClaims,
        signature: 'none: an opaque token, claims by introspection',
      };
    return { sha256, ...decoded(token, description.get('token.signature')) };
  }

  #response(outcome: Outcome): ExchangeEvidence['response'] {
    if (outcome.type === 'failure') return { failure: outcome.kind, detail: this.#redact(outcome.detail) };
    return {
      status: outcome.status,
      fields: outcome.fields.map(([name, value]) => [name, this.#field(name, value)] as const),
      body: this.#redact(outcome.body.toString('utf8')),
      bodyTruncated: outcome.bodyTruncated || outcome.body.length > LONGEST_TEXT,
    };
  }

  #field(name: string, value: string): string {
    return this.#redact(isDpopField(name) ? withoutDpopProofs(value, true) : value);
  }

  #redact(text: string): string {
    let redacted = withoutDpopProofs(text);
    for (const [token, name] of this.#secrets)
      if (redacted.includes(token)) redacted = redacted.split(token).join(name);
    return redacted.length <= LONGEST_TEXT
      ? redacted
      : `${redacted.slice(0, LONGEST_TEXT)}… (${redacted.length} characters)`;
  }
}

/** A text as it is, and as it stands in a form (WHATWG URL §5.2), in a URL (RFC 3986 §2.1) and in JSON, with slashes escaped or not. */
function spellingsOf(token: string): ReadonlySet<string> {
  const inForm = new URLSearchParams([['', token]]).toString().slice(1);
  const inJson = JSON.stringify(token).slice(1, -1);
  return new Set([token, inForm, encodeURIComponent(token), inJson, inJson.replaceAll('/', '\\/')]);
}

function certificateOf(options: Pick<ConnectOptions, 'identity'>): ConnectionEvidence['clientCertificate'] {
  const { identity } = options;
  return identity === null
    ? null
    : { name: identity.name, keyType: identity.keyType, thumbprint: identity.thumbprint };
}

function decoded(compact: string, signature: string | undefined): DecodedJwt {
  if (compact.length > 32_768)
    return { header: 'not taken apart: too long', claims: null, signature: 'not checked' };
  const jwt = readJwt(compact);
  return {
    header: shallow(jwt.header ?? null),
    claims: shallow(jwt.claims ?? null),
    signature: signature ?? 'not checked',
  };
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
