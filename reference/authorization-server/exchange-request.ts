import { errors, type UnknownObject } from 'oidc-provider';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';

/** Parameters of a token exchange request (RFC 8693 §2.1). */
export const EXCHANGE_PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'resource',
  'audience',
  'scope',
];

/** A token exchange request that is well formed (RFC 8693 §2.1). */
export interface ExchangeRequest {
  readonly subjectToken: string;
  readonly actorToken: string | undefined;
  readonly requestedType: typeof ACCESS_TOKEN_TYPE | typeof JWT_TYPE;
  /** `undefined` where neither `resource` nor `audience` is given. */
  readonly target: string | undefined;
  /** `undefined` where the request names no scope. */
  readonly scopes: readonly string[] | undefined;
}

function text(parameters: UnknownObject, name: string): string | undefined {
  const value = parameters[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isKnownType(type: string | undefined): type is ExchangeRequest['requestedType'] {
  return type === ACCESS_TOKEN_TYPE || type === JWT_TYPE;
}

function checkType(parameters: UnknownObject, name: string): void {
  const type = text(parameters, name);
  if (type === undefined) throw new errors.InvalidRequest(`${name} is missing`);
  if (!isKnownType(type)) throw new errors.InvalidRequest(`${name} is not supported`);
}

function targetOf(parameters: UnknownObject): string | undefined {
  const targets = [parameters['resource'], parameters['audience']].flat();
  const named = new Set(targets.filter((target) => typeof target === 'string'));
  if (named.size > 1) throw new errors.InvalidTarget('a token is for one resource only');
  const [target] = named;
  return target;
}

/**
 * Reads a token exchange request. Tokens of both kinds have to be access tokens of this server, JWT or not.
 *
 * @throws InvalidRequest, InvalidTarget (RFC 8693 §2.2.2)
 */
export function readExchangeRequest(parameters: UnknownObject): ExchangeRequest {
  const subjectToken = text(parameters, 'subject_token');
  if (subjectToken === undefined) throw new errors.InvalidRequest('subject_token is missing');
  checkType(parameters, 'subject_token_type');
  const actorToken = text(parameters, 'actor_token');
  if (actorToken !== undefined) checkType(parameters, 'actor_token_type');
  else if (parameters['actor_token_type'] !== undefined) {
    throw new errors.InvalidRequest('actor_token_type is given without actor_token');
  }
  const requestedType = text(parameters, 'requested_token_type') ?? ACCESS_TOKEN_TYPE;
  if (!isKnownType(requestedType)) throw new errors.InvalidRequest('requested_token_type is not supported');
  return {
    subjectToken,
    actorToken,
    requestedType,
    target: targetOf(parameters),
    scopes: text(parameters, 'scope')?.split(' '),
  };
}
