import type { Outcome, WireResponse } from '../wire/connection.ts';
import { parseChallenges } from './challenge.ts';
import type { Challenge } from './challenge.ts';

/**
 * How a request is expected to be refused.
 * - an error code: `401` with a Bearer challenge that carries it (draft -06 §3.5, RFC 6750 §3.1)
 * - `401`: a Bearer challenge, whichever its error
 * - `401-dpop`: `401` with a DPoP challenge, whichever its error (RFC 9449 §7.1)
 * - `insufficient_scope`: `403` with that error
 * - `denied`: the protected content is not delivered, in whatever way
 */
export type Refusal =
  | 'invalid_proof'
  | 'use_session_binding'
  | 'invalid_token'
  | 'insufficient_scope'
  | '401'
  | '401-dpop'
  | 'denied';

export interface Expectation {
  readonly refusals: readonly Refusal[];
  /**
   * Whether the manner counts too. Without it a refusal in another manner satisfies the requirement: which
   * status and code a refusal carries is a requirement of its own (RS-ERR-1 to RS-ERR-3), and one wrong code
   * must not turn the whole report red.
   */
  readonly exact: boolean;
}

/** Refused, in one of these manners or, as far as this requirement is concerned, in another. */
export function refused(...refusals: readonly Refusal[]): Expectation {
  return { refusals: refusals.length === 0 ? ['denied'] : refusals, exact: false };
}

/** Refused in just one of these manners. */
export function refusedExactly(...refusals: readonly Refusal[]): Expectation {
  return { refusals, exact: true };
}

export function expectationText(expectation: Expectation): string {
  return expectation.refusals
    .map((refusal) => {
      if (refusal === 'denied') return 'refused';
      if (refusal === '401') return '401 with a Bearer challenge';
      if (refusal === '401-dpop') return '401 with a DPoP challenge';
      return `${refusal === 'insufficient_scope' ? '403' : '401'} ${refusal}`;
    })
    .join(' or ');
}

/** What an outcome amounts to. */
export type Reading =
  | { readonly kind: 'served'; readonly text: string }
  | {
      readonly kind: 'refused';
      readonly text: string;
      readonly error: string | null;
      readonly status: number;
      readonly bearer: boolean;
      /** The error of the DPoP challenge, `null` where that has none; left out where there is no such challenge. */
      readonly dpop?: string | null;
      /** Why the challenge cannot be read; left out where it can, or where there is none. */
      readonly unreadable?: string;
    }
  /** The target's own failure: 5xx. */
  | { readonly kind: 'server-error'; readonly text: string }
  /** The connection, the handshake or the stream was ended instead of an answer. */
  | { readonly kind: 'cut'; readonly text: string }
  /**
   * No answer that can be judged: a timeout, garbage, nothing there to connect to, too many requests. With how long to
   * wait, in milliseconds, where the target asks for a later request; `null`: it does not say.
   */
  | { readonly kind: 'no-answer'; readonly text: string; readonly retryAfterMs?: number | null };

/** Reads an outcome; judges nothing. */
export function read(outcome: Outcome): Reading {
  if (outcome.type === 'failure') {
    const text = `${outcome.kind}: ${outcome.detail}`;
    switch (outcome.kind) {
      case 'tls-alert':
      case 'tls-handshake':
      case 'closed':
      case 'reset':
      case 'stream-reset':
        return { kind: 'cut', text };
      default:
        return { kind: 'no-answer', text };
    }
  }
  const { status } = outcome;
  if (status >= 200 && status < 300) return { kind: 'served', text: `${status}` };
  const throttled = limited(outcome);
  if (throttled !== undefined) return throttled;
  if (status >= 500) return { kind: 'server-error', text: `${status}` };
  const values = outcome.fields
    .filter(([name]) => name.toLowerCase() === 'www-authenticate')
    .map(([, value]) => value);
  const parsed = parseChallenges(values);
  if (!parsed.ok) {
    return {
      kind: 'refused',
      status,
      bearer: false,
      error: null,
      unreadable: parsed.problem,
      text: `${status} with a WWW-Authenticate field that does not parse (${parsed.problem})`,
    };
  }
  const under = (scheme: string): readonly Challenge[] =>
    parsed.challenges.filter((challenge) => challenge.scheme.toLowerCase() === scheme);
  const [bearers, dpops] = [under('bearer'), under('dpop')];
  const [error, dpop] = [errorOf(bearers), errorOf(dpops)];
  const manner =
    bearers.length > 0
      ? (error ?? 'a Bearer challenge without error')
      : dpops.length > 0
        ? `DPoP ${dpop ?? 'challenge without error'}`
        : 'no Bearer challenge';
  return {
    kind: 'refused',
    status,
    bearer: bearers.length > 0,
    error,
    ...(dpops.length === 0 ? {} : { dpop }),
    text: `${status} ${manner}`,
  };
}

/** That there were too many requests (RFC 6585 §4), or the server is not ready for now (RFC 9110 §15.6.4): nothing of tokens and proofs. */
function limited({ status, fields }: WireResponse): Reading | undefined {
  const value = fields.find(([name]) => name.toLowerCase() === 'retry-after')?.[1].trim();
  if (status !== 429 && (status !== 503 || value === undefined)) return undefined;
  return {
    kind: 'no-answer',
    text: `${status}: not judged, the target limits requests`,
    retryAfterMs: value === undefined ? null : delayOf(value),
  };
}

/** RFC 9110 §10.2.3 */
function delayOf(value: string): number | null {
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

function errorOf(challenges: readonly Challenge[]): string | null {
  return (
    challenges.map(({ parameters }) => parameters.get('error')).find((value) => value !== undefined) ?? null
  );
}

export type Match = 'as-expected' | 'other-manner' | 'served' | 'server-error' | 'no-answer';

/** Holds a reading against an expectation. */
export function match(reading: Reading, expectation: Expectation): Match {
  switch (reading.kind) {
    case 'served':
    case 'server-error':
    case 'no-answer':
      return reading.kind;
    case 'cut':
      return expectation.refusals.includes('denied') ? 'as-expected' : 'other-manner';
    case 'refused':
      return expectation.refusals.some((refusal) => fits(reading, refusal)) ? 'as-expected' : 'other-manner';
  }
}

function fits(reading: Reading & { readonly kind: 'refused' }, refusal: Refusal): boolean {
  if (refusal === 'denied') return true;
  if (refusal === '401-dpop') return reading.dpop !== undefined && reading.status === 401;
  if (!reading.bearer) return false;
  if (refusal === '401') return reading.status === 401;
  return reading.error === refusal && reading.status === (refusal === 'insufficient_scope' ? 403 : 401);
}

/** Whether there was silence, or no room for the request: a busy machine can be the reason, so it proves nothing against the target. */
export function isSilence({
  outcome,
  reading,
}: {
  readonly outcome: Outcome;
  readonly reading: Reading;
}): boolean {
  if (outcome.type === 'response') return reading.kind === 'no-answer';
  return outcome.kind === 'timeout' || outcome.kind === 'refused';
}
