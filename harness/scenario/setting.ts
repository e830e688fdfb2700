import type { Authority, Identity } from '../../certs/identity.ts';
import type { IssueRequest } from '../../certs/issue.ts';
import type { Pki } from '../../certs/pki.ts';
import type { Permutation } from './record.ts';
import type { TokenIssuer } from '../../certs/token-issuer.ts';
import type { CounterpartServer } from '../counterpart/resource-server/contract.ts';
import type { Connection, ConnectOptions } from '../wire/connection.ts';
import type { OpenSslClient } from '../wire/openssl-client.ts';

/** The target as a scenario sees it. */
export interface TargetView {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The name for SNI, `Host` and `htu`. */
  readonly hostname: string;
  readonly capabilities: ReadonlySet<string>;
  readonly protectedPath: string;
  /** Request fields by which a process in front tells the application who is calling. */
  readonly identityFields?: readonly string[];
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

/** A listener that nobody has a reason to call. */
export interface Canary extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly string[];
}

/** The servers that the suite plays behind an intermediary under test. */
export interface ServersBehind {
  /** The name under which the intermediary calls them. */
  readonly upstreamName: string;
  /** The next resource server. */
  readonly upstream: CounterpartServer;
  /** The authorization server's token endpoint; whatever its path. */
  readonly tokenEndpoint: CounterpartServer;
  /** The certificate and key that the intermediary was given for both. */
  readonly identity: Identity;
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
  lowLevel(): Promise<OpenSslClient | { readonly unavailable: string }>;
  /** Set where the target is an intermediary. */
  readonly behind: ServersBehind | null;
  /** How long a response may take, in milliseconds. */
  readonly patienceMs: number;
  /**
   * `light`, where only verdicts and reasons are wanted: exchanges are not told in evidence, and that minimal pairs are
   * minimal, which does not depend on the target, is taken for granted.
   */
  readonly effort: 'full' | 'light';
}
