import { errors } from 'undici';
import { SessionBindingError } from '../client/errors.ts';
import type { Problem } from './destination.ts';

const TIMEOUTS: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
  'handshake-timeout',
]);

/** The code of an error, for a log: unlike messages, codes quote nothing. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

/**
 * What an agent is told where the server could not be asked. The text is fixed: an error's message may quote the
 * request, proof and all (draft -06 Appendix B.4).
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof errors.InvalidArgumentError) {
    return { status: 400, text: 'the request cannot be sent on' };
  }
  if (TIMEOUTS.has(codeOf(error))) return { status: 504, text: 'the server did not answer in time' };
  if (error instanceof SessionBindingError) {
    return { status: 502, text: 'there is no connection to the server that a token can be bound to' };
  }
  return { status: 502, text: 'the server could not be asked' };
}
