import type { Authority, Identity } from '../../certs/identity.ts';
import type { IssueRequest } from '../../certs/issue.ts';
import type { Pki } from '../../certs/pki.ts';
import type { Permutation } from './record.ts';
import type { TokenIssuer } from '../../certs/token-issuer.ts';
import type {
  Connection,
  ConnectOptions,
  Derivation,
  Outcome,
  WireFailure,
  WireRequest,
} from '../wire/connection.ts';

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

/** The rightful client under a permutation: the given one where the target takes no other. */
export function rightfulClient(
  setting: Pick<Setting, 'credentials' | 'pki'>,
  permutation: Permutation,
): Identity {
  return setting.credentials?.identity ?? setting.pki.alice[permutation.key];
}

/** Registers opaque tokens at the suite's introspection endpoint. */
export interface IntrospectionRegistry {
  register(token: string, response: Readonly<Record<string, unknown>>): Promise<void>;
  /** How often the target has asked about the token. */
  requests(token: string): Promise<number>;
}

/** What became of early data. `none`: the session allows none, so nothing was sent. */
export type EarlyDataStatus = 'none' | 'rejected' | 'accepted';

/** A connection of a TLS client below Node's API; HTTP/1.1 only. */
export interface LowLevelConnection extends Connection {
  /** Sends a KeyUpdate (RFC 8446 §4.6.3); with `requestPeer` the target has to send its own. */
  keyUpdate(requestPeer: boolean): void;
  /**
   * Renegotiates on TLS 1.2 (RFC 5746), with another client certificate if given; `exporter` gives the new value
   * afterwards. Resolves to how the target refused, if it did.
   */
  renegotiate(identity?: Identity, timeoutMs?: number): Promise<WireFailure | undefined>;
  readonly earlyData: EarlyDataStatus;
  /** The response to the early request; `undefined` unless early data was accepted. */
  readonly earlyResponse: Promise<Outcome> | undefined;
}

/** What a low-level connection can be asked for beyond the usual options. */
export interface LowLevelOptions extends ConnectOptions {
  /** Offer post-handshake authentication (RFC 8446 §4.2.6). Default `false`. */
  readonly postHandshakeAuth?: boolean;
  /** Makes a request to send as early data (RFC 8446 §2.3), given the early exporter; needs `session`. */
  readonly earlyRequest?: (earlyExporter: (derivation?: Derivation) => Buffer) => WireRequest;
}

export interface LowLevelClient {
  /** @throws {ConnectFailure} */
  connect(options: LowLevelOptions, id: string): Promise<LowLevelConnection>;
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
  /**
   * `light`, where only verdicts and reasons are wanted: exchanges are not told in evidence, and that minimal pairs are
   * minimal, which does not depend on the target, is taken for granted.
   */
  readonly effort: 'full' | 'light';
}
