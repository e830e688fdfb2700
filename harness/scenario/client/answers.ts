import type { Answer, Script } from '../../counterpart/resource-server/contract.ts';
import type { Field, Outcome } from '../../wire/connection.ts';
import { isOfClientItself, proofsOf, tokenIn } from './arrival.ts';

/** Answers that a resource server of the draft gives. */

const JSON_TYPE: Field = ['Content-Type', 'application/json'];

/** `200` with a small JSON body. */
export function served(fields: readonly Field[] = [], body = '{"served":true}\n'): Answer {
  return { kind: 'response', status: 200, fields: [JSON_TYPE, ...fields], body };
}

/**
 * A response with a status and, with `401`, a challenge.
 *
 * @param fields such as `WWW-Authenticate`
 */
export function status(code: number, fields: readonly Field[] = [], body = ''): Answer {
  return { kind: 'response', status: code, fields, body };
}

/** The `401` of draft -06 §3.5. */
export function challenged(
  error: 'use_session_binding' | 'invalid_proof' | 'invalid_token',
  challenge = `Bearer realm="tsbt", error="${error}", error_description="the suite says so"`,
): Answer {
  return status(401, [['WWW-Authenticate', challenge]]);
}

/**
 * Serves whatever comes with a proof, right or wrong, and asks for a proof where a token comes without one: what
 * the proof is like is for the scenario to judge, and a client that waits to be asked is asked.
 */
export const serveProven: Script = (request) =>
  tokenIn(request) !== null && proofsOf(request).length === 0 ? challenged('use_session_binding') : served();

/** A scripted answer is meant for a request of the agent: one of the client's own does not use it up. */
export function sparingTheClientsOwn(script: Script): Script {
  return (request) => (isOfClientItself(request) ? status(204) : script(request));
}

/** Whether the agent was told to come with a session-bound proof: for the client, which makes the proofs, it asks again. */
export function isChallenge(outcome: Outcome): boolean {
  return (
    outcome.type === 'response' &&
    outcome.status === 401 &&
    outcome.fields.some(
      ([name, value]) => name.toLowerCase() === 'www-authenticate' && value.includes('use_session_binding'),
    )
  );
}
