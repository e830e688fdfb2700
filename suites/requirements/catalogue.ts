import type { Ambiguity, Requirement } from '../../harness/scenario/requirement.ts';
import ambiguities from './ambiguities.json' with { type: 'json' };
import authorizationServer from './authorization-server.json' with { type: 'json' };
import client from './client.json' with { type: 'json' };
import resourceServer from './resource-server.json' with { type: 'json' };

/** Revision of the draft that section numbers and statements refer to. */
export const DRAFT = 'draft-mw-oauth-tls-session-bound-tokens-06';

/** Every requirement, in the catalogue's order. */
export const REQUIREMENTS: readonly Requirement[] = [
  ...resourceServer,
  ...client,
  ...authorizationServer,
] as readonly Requirement[];

/** Every ambiguity of the draft with the stance that the suite takes. */
export const AMBIGUITIES: readonly Ambiguity[] = ambiguities;

const byId = new Map(REQUIREMENTS.map((requirement) => [requirement.id, requirement]));

/**
 * The row of a requirement.
 *
 * @throws {Error} when there is none: a scenario's id does not begin with a requirement's
 */
export function requirement(id: string): Requirement {
  const row = byId.get(id);
  if (row === undefined) throw new Error(`no requirement ${id} in the catalogue`);
  return row;
}
