import type { Authority, Identity } from '../../certs/identity.ts';
import type { IssueRequest } from '../../certs/issue.ts';
import type { Pki } from '../../certs/pki.ts';
import type { TokenIssuer } from '../../certs/token-issuer.ts';
import type { Connection, ConnectOptions, Outcome } from '../wire/connection.ts';

/** The target as a scenario sees it. */
export interface TargetView {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The name for SNI, `Host` and `htu`. */
  readonly hostname: string;
  readonly capabilities: ReadonlySet<string>;
  readonly protectedPath: string;
  /** PEM trust anchors of its certificate; `null`: not checked. */
  readonly serverAuthorities: string | null;
}

/** Registers opaque tokens at the suite's introspection endpoint. */
export interface IntrospectionRegistry {
  register(token: string, response: Readonly<Record<string, unknown>>): Promise<void>;
}

/** A TLS client below Node's API (draft -06 §2.2: KeyUpdate; RFC 5746 renegotiation; RFC 8446 §2.3 early data). */
export interface LowLevelConnection extends Connection {
  keyUpdate(requestPeer: boolean): Promise<void>;
  /** TLS 1.2: renegotiates, with another identity if given. Resolves to whether the target agreed. */
  renegotiate(identity?: Identity): Promise<boolean>;
}

/** What a low-level connection can be asked for beyond the usual options. */
export interface LowLevelOptions extends ConnectOptions {
  /** Sign CertificateVerify with this identity's key instead. */
  readonly signHandshakeWith?: Identity;
}

export interface LowLevelClient {
  connect(options: LowLevelOptions, id: string): Promise<LowLevelConnection>;
  /** Resumes a session, sending octets as early data; the outcome of that request and the early exporter value. */
  earlyData(
    options: LowLevelOptions,
    id: string,
    request: (earlyExporter: Buffer) => Uint8Array,
  ): Promise<{ readonly status: 'not-offered' | 'rejected' | 'accepted'; readonly outcome: Outcome; readonly connection: LowLevelConnection }>;
}

/** A listener that nobody has a reason to call. */
export interface Canary extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly string[];
}

/** What the harness puts at a scenario's disposal. All input and output of scenarios goes through here. */
export interface Setting {
  readonly target: TargetView;
  readonly profile: 'core' | 'full';
  readonly strict: boolean;
  readonly pki: Pki;
  readonly issuer: TokenIssuer;
  readonly introspection: IntrospectionRegistry | null;
  /** Set where the target does not trust the suite's issuer: the one client certificate and access token that it takes. */
  readonly credentials: { readonly identity: Identity; readonly accessToken: string } | null;
  open(options: ConnectOptions, id: string): Promise<Connection>;
  issue(authority: Authority, request: IssueRequest): Promise<Identity>;
  selfSigned(name: string): Promise<Identity>;
  canary(): Promise<Canary>;
  /** The low-level TLS client, or why there is none here. */
  lowLevel(): Promise<LowLevelClient | { readonly unavailable: string }>;
  /** How long a response may take, in milliseconds. */
  readonly patienceMs: number;
}
