import type { X509Certificate } from 'node:crypto';
import type { Field } from '../../wire/connection.ts';
import type { KeyedConnection } from '../../wire/wrong-derivations.ts';

/**
 * What of a proof is looked at, each on its own: a scenario judges its own aspects only, so that one mistake does not
 * turn every scenario red.
 */
export type Aspect =
  | 'form'
  | 'typ'
  | 'alg'
  | 'thumbprint'
  | 'disclosure'
  | 'signature'
  | 'claims'
  | 'ath'
  | 'ekm'
  | 'iat'
  | 'jti'
  | 'htm'
  | 'htu';

/** Something about a proof that is not as it has to be. */
export interface Defect {
  readonly aspect: Aspect;
  /** In words; free of secrets. */
  readonly what: string;
  /** The likely mistake and its cure, where it is one of the known ones. */
  readonly cure: string | null;
  /** True for a value that would be right with another connection, token or request: what belongs to one went out with the other. */
  readonly astray?: boolean;
}

/** A connection as far as a proof is judged by it. */
export interface ProvenConnection extends KeyedConnection {
  readonly id: string;
  /** What the client presented, end-entity certificate first. */
  readonly clientChain: readonly X509Certificate[];
}

/** What a proof is held against. */
export interface Circumstances {
  readonly connection: ProvenConnection;
  /** The client's other connections, for naming a value that belongs to one of them. */
  readonly others: readonly ProvenConnection[];
  /** The access token of the same request, as sent. */
  readonly token: string;
  readonly request: {
    readonly method: string;
    readonly target: string;
    readonly authority: string;
    readonly fields: readonly Field[];
  };
  /** Milliseconds since the epoch when this proof was first seen. */
  readonly firstSeenAt: number;
  /** Host name of the resource server. */
  readonly host: string;
}

/** A part of a JWT, parsed. */
export type Json = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const LONGEST = 120;

/** A claim's value in words, cut short. */
export function text(value: unknown): string {
  const written = JSON.stringify(value) ?? 'missing';
  return written.length <= LONGEST ? written : `${written.slice(0, LONGEST)}…`;
}
