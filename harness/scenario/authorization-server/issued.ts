import type { Outcome } from '../../wire/connection.ts';
import { readJwt } from '../../forge/read.ts';

/** An answer of the authorization server, read as JSON where it is that. */
export interface Answer {
  /** Number in the evidence. */
  readonly id: number;
  readonly outcome: Outcome;
  /** HTTP status; 0 where no response came. */
  readonly status: number;
  /** The members of the JSON object in its body; empty where there is none. */
  readonly json: Readonly<Record<string, unknown>>;
  /** In a few words: `200`, `400 invalid_request`, `closed`. */
  readonly text: string;
}

/** An access token as it was issued. */
export interface IssuedToken {
  readonly compact: string;
  /** `null` for an opaque token. */
  readonly header: Readonly<Record<string, unknown>> | null;
  readonly claims: Readonly<Record<string, unknown>> | null;
}

/** A JWT access token. */
export interface ReadableToken extends IssuedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

const CONTENT = /^application\/(?:[a-z0-9.+-]*\+)?json\b/i;

/** Reads an answer. */
export function readAnswer(id: number, outcome: Outcome): Answer {
  if (outcome.type === 'failure') return { id, outcome, status: 0, json: {}, text: outcome.kind };
  const type = outcome.fields.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  const json = CONTENT.test(type) ? parsed(outcome.body.toString('utf8')) : {};
  const error = typeof json['error'] === 'string' ? ` ${json['error']}` : '';
  return { id, outcome, status: outcome.status, json, text: `${outcome.status}${error}` };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

/** The access token of a token response (RFC 6749 §5.1); `null` where it gave none. */
export function tokenOf({ status, json }: Answer): IssuedToken | null {
  const compact = json['access_token'];
  if (status !== 200 || typeof compact !== 'string' || compact === '') return null;
  const { header, claims, problem } = readJwt(compact);
  return problem === undefined && isRecord(header) && isRecord(claims)
    ? { compact, header, claims }
    : { compact, header: null, claims: null };
}

/** The `cnf` of a token's claims or of an introspection response, where it is an object (RFC 7800 §3.1). */
export function confirmationOf(
  claims: Readonly<Record<string, unknown>> | null,
): Readonly<Record<string, unknown>> | null {
  const cnf = claims?.['cnf'];
  return isRecord(cnf) ? cnf : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
