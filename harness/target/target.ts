import type { Identity } from '../../certs/identity.ts';
import type { Manifest } from './manifest.ts';

/** A target that answers. Released with `await using`. */
export interface Target extends AsyncDisposable {
  readonly manifest: Manifest;
  /** Host name or address to connect to, without brackets. */
  readonly host: string;
  readonly port: number;
  /** How it was reached, in words for the report: `module …`, `process …`, `url …`. */
  readonly startedAs: string;
  /** The last lines it wrote to stdout and stderr, control characters made visible. */
  log(): readonly string[];
  /** Resolves with a description when the target ends without having been stopped; otherwise never. */
  readonly ended: Promise<string>;
  /** False once it has ended or been stopped. A `url` target counts as alive until it is stopped. */
  alive(): boolean;
  /**
   * Hands a started target another certificate and key of its own, in the files that it was given at its start, and
   * tells it to read them (SIGHUP, or `reload()` of a module). A process gives no sign when it has done so.
   */
  rotate?(identity: Identity): Promise<void>;
  /** Ends the target and removes what was made for it. Does nothing the second time. Never throws for what the target does. */
  stop(): Promise<void>;
}

/** A target that the suite has started itself. */
export interface StartedTarget extends Target {
  /** Tells it to read its certificate and key files again. */
  reload(): Promise<void>;
}

interface Bounds {
  /** How long a target may take until it answers, in milliseconds. Default 15000; 30000 in a container, 5000 for a `url` target. */
  readonly readinessTimeoutMs?: number;
  /** How long a target may take to stop before it is killed, in milliseconds. Default 5000. */
  readonly stopGraceMs?: number;
}

/** What a client under test is given: the suite's side of the target contract. */
export interface ClientSettings extends Bounds {
  /** The mTLS client certificate and key. */
  readonly clientIdentity: Identity;
  /** PEM trust anchors for servers that the target connects to. */
  readonly serverAuthorities: string;
  /** `https://host:port` of the resource server that it calls. */
  readonly upstream: string;
  /** Which claims its proofs are to have (draft -06 §2.3.2). */
  readonly proofClaims: 'connection' | 'request';
  /** PEM private key for DPoP proofs (RFC 9449), for a target that claims `dpop`. */
  readonly dpopKey?: string;
}

/** What an intermediary under test is told of the servers behind it. */
export interface Behind {
  /** `https://host:port` of the next resource server. */
  readonly upstream: string;
  /** `https://host:port/path` of the token endpoint for token exchange (RFC 8693). */
  readonly tokenEndpoint: string;
  /** The certificate and key that it presents to both. */
  readonly identity: Identity;
}

/** What a server under test is given: the suite's side of the target contract. */
export interface ServerSettings extends Bounds {
  /** The target's own certificate and key. */
  readonly serverIdentity: Identity;
  /** PEM trust anchors for client certificates. */
  readonly clientAuthorities: string;
  /** PEM trust anchors for servers that the target connects to. */
  readonly serverAuthorities: string;
  readonly issuer: string;
  readonly audience: string;
  /** JWK Set (RFC 7517 §5) of the issuer. */
  readonly jwks: object;
  readonly introspection?: { readonly url: string; readonly clientId: string; readonly clientSecret: string };
  /** For an intermediary. */
  readonly behind?: Behind;
}

/** What an authorization server under test is given: the suite's side of the target contract. */
export interface AuthorizationServerSettings extends Bounds {
  readonly serverIdentity: Identity;
  readonly clientAuthorities: string;
  readonly serverAuthorities: string;
  /** The resource whose access tokens are JWTs. */
  readonly audience: string;
  /** The resource whose access tokens are opaque. */
  readonly opaqueAudience: string;
  /** The resource whose access tokens are valid for a few seconds. */
  readonly shortLivedAudience: string;
  /** Metadata of the clients that it knows (RFC 7591 §2, with `client_id`). */
  readonly clients: readonly object[];
}

export type TargetSettings = ServerSettings | ClientSettings | AuthorizationServerSettings;

/** Whether these are the settings of an authorization server under test. */
export function areForAuthorizationServer(settings: TargetSettings): settings is AuthorizationServerSettings {
  return 'clients' in settings;
}

/** Whether these are the settings of a client under test. */
export function areForClient(settings: TargetSettings): settings is ClientSettings {
  return 'clientIdentity' in settings;
}

/**
 * - `role-unsupported`: it exited with status 127: it does not play this role
 * - `no-engine`: it is to run in a container, and no container engine answers
 * - `cannot-start`: the program or module is not there, or cannot be run or loaded
 * - `died`: it ended before it answered
 * - `never-listened`: it did not answer in time
 * - `not-tls`: it answers, but not with TLS
 * - `wrong-certificate`: something answers, with another certificate than the target was given
 * - `unreachable`: nothing answers at the URL
 */
export type TargetProblemKind =
  | 'role-unsupported'
  | 'no-engine'
  | 'cannot-start'
  | 'died'
  | 'never-listened'
  | 'not-tls'
  | 'wrong-certificate'
  | 'unreachable';

/** A target that could not be started. Shown without a stack trace: what happened, the remedy, its last log lines. */
export class TargetProblem extends Error {
  readonly kind: TargetProblemKind;
  /** The manifest's name. */
  readonly target: string;
  readonly what: string;
  readonly remedy: string;
  readonly log: readonly string[];

  constructor(
    kind: TargetProblemKind,
    target: string,
    what: string,
    remedy: string,
    log: readonly string[] = [],
  ) {
    const lines = log.slice(-LOG_LINES_SHOWN).map((line) => `\n  | ${line}`);
    super(`${target}: ${what}\n  ${remedy}${lines.length === 0 ? '' : `\n  its log:${lines.join('')}`}`);
    this.name = 'TargetProblem';
    this.kind = kind;
    this.target = target;
    this.what = what;
    this.remedy = remedy;
    this.log = log;
  }
}

/** How many of the last log lines stand in a {@link TargetProblem}'s message. */
const LOG_LINES_SHOWN = 10;
