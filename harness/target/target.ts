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
  /** Ends the target and removes what was made for it. Does nothing the second time. Never throws for what the target does. */
  stop(): Promise<void>;
}

/** What a target is given: the suite's side of the target contract. */
export interface TargetSettings {
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
  /** How long a target may take until it answers, in milliseconds. Default 15000; 5000 for a `url` target. */
  readonly readinessTimeoutMs?: number;
  /** How long a target may take to stop before it is killed, in milliseconds. Default 5000. */
  readonly stopGraceMs?: number;
}

/**
 * - `role-unsupported`: it exited with status 127: it does not play this role
 * - `not-available`: this version of the suite cannot start such a target
 * - `cannot-start`: the program or module is not there, or cannot be run or loaded
 * - `died`: it ended before it answered
 * - `never-listened`: it did not answer in time
 * - `not-tls`: it answers, but not with TLS
 * - `wrong-certificate`: something answers, with another certificate than the target was given
 * - `unreachable`: nothing answers at the URL
 */
export type TargetProblemKind =
  | 'role-unsupported'
  | 'not-available'
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
