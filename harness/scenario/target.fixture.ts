import { createHash } from 'node:crypto';
import { createPki } from '../../certs/pki.ts';
import type { Pki } from '../../certs/pki.ts';
import { createTokenIssuer } from '../../certs/token-issuer.ts';
import { ath, readJwt } from '../forge/read.ts';
import { ConnectFailure } from '../wire/connection.ts';
import type {
  Connection,
  ConnectOptions,
  Derivation,
  Field,
  FailureKind,
  Outcome,
  WireFailure,
  WireRequest,
  WireResponse,
} from '../wire/connection.ts';
import type { Setting, TargetView } from './setting.ts';

/** The suite's keys and certificates, made once for each test file. */
export const pki: Pki = await createPki();
export const issuer = await createTokenIssuer();

/** A response, with nothing in it that a test does not name. */
export function response(status: number, fields: readonly Field[] = [], body = ''): WireResponse {
  return {
    type: 'response',
    status,
    fields,
    body: Buffer.from(body),
    bodyTruncated: false,
    informational: [],
    durationMs: 1.234_567,
  };
}

export function failure(kind: FailureKind, detail = `it was ${kind}`): WireFailure {
  return { type: 'failure', kind, detail, durationMs: 2.345_678 };
}

/** `401` with a Bearer challenge that carries the error. */
export function challenged(error: string): WireResponse {
  return response(401, [['WWW-Authenticate', `Bearer error="${error}"`]]);
}

/** A connection without a socket. Its exporter values are hashes of its name and the derivation. */
export class PaperConnection implements Connection {
  readonly id: string;
  readonly options: ConnectOptions;
  readonly facts: Connection['facts'];
  readonly tlsUnique: Buffer | undefined;
  readonly serverEndPoint = Buffer.alloc(32, 2);
  readonly clientRandom = Buffer.alloc(32, 3);
  readonly sessionId = undefined;
  open = true;
  disposed = false;
  /** What was sent on it, in order. */
  readonly requests: WireRequest[] = [];
  readonly #answer: Answer;

  constructor(options: ConnectOptions, id: string, answer: Answer, certificateWithheld?: string) {
    this.id = id;
    this.options = options;
    this.#answer = answer;
    this.tlsUnique = options.tls === 'TLSv1.2' ? Buffer.alloc(12, 1) : undefined;
    this.facts = {
      tls: options.tls,
      cipher: 'TLS_AES_128_GCM_SHA256',
      alpn: options.http,
      extendedMasterSecret: options.extendedMasterSecret ?? true,
      resumed: options.session !== undefined,
      localPort: 1,
      exporterCheck: 'key-log',
      handshakeMs: 3.456_789,
      ...(certificateWithheld !== undefined && { certificateWithheld }),
    };
  }

  exporter({ label = 'right', context = Buffer.alloc(0), length = 32 }: Derivation = {}): Buffer {
    // The form without context is another value on TLS 1.2 only.
    const form = context === null && this.facts.tls === 'TLSv1.2' ? 'absent' : 'given';
    const text = [this.id, label, form, Buffer.from(context ?? []).toString('hex')].join('|');
    return createHash('sha512').update(text).digest().subarray(0, length);
  }

  async send(request: WireRequest, timeoutMs?: number): Promise<Outcome> {
    this.requests.push(request);
    return this.#answer(seen(request, this), timeoutMs);
  }

  sendOctets(): Promise<Outcome> {
    throw new Error('no octets go out on paper');
  }

  abandon(): Promise<void> {
    throw new Error('nothing is abandoned on paper');
  }

  async session(): Promise<Buffer | undefined> {
    return Buffer.from(`session of ${this.id}`);
  }

  async close(): Promise<void> {
    this.open = false;
  }

  reset(): void {
    this.open = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.open = false;
    this.disposed = true;
  }
}

/** A request as a target sees it. */
export interface Seen {
  readonly request: WireRequest;
  readonly connection: PaperConnection;
  readonly token: string | undefined;
  readonly proof: string | undefined;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** Whether token hash, exporter value and thumbprint are right, in the draft's literal reading. */
  readonly right: boolean;
}

/** What a target makes of a request. */
export type Answer = (seen: Seen, timeoutMs?: number) => Outcome | Promise<Outcome>;

function seen(request: WireRequest, connection: PaperConnection): Seen {
  const field = (wanted: string): string | undefined =>
    request.fields.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const token = field('authorization')?.replace(/^Bearer /, '');
  const proof = field('session-binding-proof');
  const { header, claims } = readJwt(proof ?? '');
  const [headerMembers, claimMembers] = [members(header), members(claims)];
  return {
    request,
    connection,
    token,
    proof,
    header: headerMembers,
    claims: claimMembers,
    right:
      token !== undefined &&
      claimMembers['ath'] === ath(token) &&
      claimMembers['ekm'] === connection.exporter().toString('base64url') &&
      headerMembers['typ'] === 'tls-binding-proof+jwt' &&
      headerMembers['x5t#S256'] === connection.options.identity?.thumbprint,
  };
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Serves what is right, and refuses the rest with `401 invalid_proof`. */
export const correct: Answer = ({ right }) => (right ? response(200) : challenged('invalid_proof'));

/** What a setting is made of, where it is not the usual one. */
export interface Paper {
  readonly answer?: Answer;
  /** Does not let a connection happen, where it returns something. */
  readonly bars?: (options: ConnectOptions, id: string) => WireFailure | undefined;
  /** Why clients do not present their certificates. */
  readonly withheld?: string;
  readonly target?: Partial<TargetView>;
  readonly setting?: Partial<Setting>;
}

/** A setting whose target is a function. `opened` grows as connections are made. */
export function onPaper(paper: Paper = {}): {
  readonly setting: Setting;
  readonly opened: PaperConnection[];
} {
  const opened: PaperConnection[] = [];
  const setting: Setting = {
    target: {
      name: 'paper',
      host: '127.0.0.1',
      port: 8443,
      hostname: 'rs.tsbt.test',
      capabilities: new Set(['tls1.3', 'tls1.2', 'http/1.1', 'h2']),
      protectedPath: '/resource',
      serverAuthorities: null,
      ...paper.target,
    },
    profile: 'core',
    strict: false,
    pki,
    issuer,
    introspection: null,
    credentials: null,
    open: async (options, id) => {
      const barred = paper.bars?.(options, id);
      if (barred !== undefined) throw new ConnectFailure(barred);
      const connection = new PaperConnection(options, id, paper.answer ?? correct, paper.withheld);
      opened.push(connection);
      return connection;
    },
    issue: () => Promise.reject(new Error('no certificate is issued on paper')),
    selfSigned: () => Promise.reject(new Error('no certificate is issued on paper')),
    canary: () => Promise.reject(new Error('no canary sings on paper')),
    lowLevel: async () => ({ unavailable: 'all is on paper' }),
    behind: null,
    patienceMs: 5000,
    effort: 'full',
    ...paper.setting,
  };
  return { setting, opened };
}
