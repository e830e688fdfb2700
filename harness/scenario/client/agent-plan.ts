import type { AgentRequest } from '../../counterpart/agent/agent.ts';
import type { Token } from '../../forge/token.ts';
import type { Field, Outcome } from '../../wire/connection.ts';
import type { TokenPlan } from '../request.ts';
import type { Arrival } from './arrival.ts';

/** A request of the agent, told by how it differs from the usual one: `GET` of the protected path with a fresh session-bound token. */
export interface AgentPlan {
  readonly method?: string;
  readonly path?: string;
  /** A token as it is, a difference from the usual one, or none. */
  readonly token?: Token | TokenPlan | null;
  /** The fields that carry the token. Default: `Authorization: Bearer <token>`. */
  readonly authorization?: (token: string) => readonly Field[];
  readonly fields?: readonly Field[];
  readonly body?: AgentRequest['body'];
  /** A trailer section (RFC 9110 §6.5), after a body in chunks. */
  readonly trailers?: readonly Field[];
  /** True for an agent that takes a `401 use_session_binding` as the last word. By default it asks once more, as agents do. */
  readonly once?: boolean;
  /** The agent gives up, and ends its connection, when this is aborted. */
  readonly signal?: AbortSignal;
  /** How long the agent waits for its response, in milliseconds. Default: the setting's. */
  readonly patienceMs?: number;
}

/** What became of a request of the agent. */
export interface Journey {
  readonly what: string;
  readonly token: Token | null;
  /** What the agent was answered in the end. */
  readonly outcome: Outcome;
  /** What arrived at the counterpart because of it, in order. */
  readonly arrivals: readonly Arrival[];
}
