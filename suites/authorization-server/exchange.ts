import type { Identity } from '../../certs/identity.ts';
import type {
  AuthorizationServerStage,
  Form,
  RequestOptions,
} from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { confirmationOf, tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { Answer, IssuedToken } from '../../harness/scenario/authorization-server/issued.ts';
import { CLIENTS } from '../../harness/scenario/authorization-server/registered-clients.ts';

/** What scenarios of token exchange have in common: who exchanges, for what, and what the successor is bound to. */

export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';

/** All that the suite's clients are registered for. */
export const EVERY_SCOPE = { scope: 'tsbt.basic tsbt.scoped' };

/** A client, and the certificate that it presents. */
export interface Exchanger {
  readonly who: string;
  readonly client: string;
  readonly by: Identity;
}

/** The parties of an exchange. */
export function partiesOf({ identities, registry }: AuthorizationServerStage) {
  const alices = (who: string, client: string): Exchanger => ({ who, client, by: identities.alice });
  return {
    holder: alices('its holder', CLIENTS.bound),
    plain: alices('a client of its holder that says nothing of bindings', CLIENTS.plain),
    unbound: alices('a client of its holder with tls_session_bound_access_tokens: false', CLIENTS.unbound),
    certificate: alices('a client of its holder for certificate-bound tokens', CLIENTS.certificate),
    refreshing: alices('its holder, which may refresh', CLIENTS.refreshing),
    recipient: { who: 'its intended recipient', client: registry.hop, by: identities.hop },
    mallory: { who: 'the attacker', client: CLIENTS.mallory, by: identities.mallory },
  } satisfies Record<string, Exchanger>;
}

/** Exchanges a token; `null` where that is refused, which the evidence notes. */
export async function exchange(
  stage: AuthorizationServerStage,
  what: string,
  subject: IssuedToken,
  { client, by }: Exchanger,
  form: Form = {},
  options: RequestOptions = {},
): Promise<IssuedToken | null> {
  const answer = await stage.requestExchange(what, subject, client, form, { by, ...options });
  const token = tokenOf(answer);
  if (token === null) stage.note(`${what}: not issued (${answer.text})`);
  return token;
}

/** An exchange that is granted: each refusal stands beside the same request but for one thing. */
export interface RightExchange {
  /** A token like the one that was exchanged; not that one, since a token may be good for one exchange only. */
  readonly subject: IssuedToken;
  readonly by: Exchanger;
  readonly successor: IssuedToken;
}

/** A token of alice's, exchanged by herself. */
export async function rightExchange(stage: AuthorizationServerStage): Promise<RightExchange> {
  const { holder: by } = partiesOf(stage);
  const issue = (): Promise<IssuedToken> => stage.token('a token to exchange', EVERY_SCOPE);
  const successor = await exchange(stage, 'the right request', await issue(), by, {}, { part: 'control' });
  return successor === null
    ? stage.inconclusive('the right request is refused, so that no other refusal means anything: see AS-TX-4')
    : { subject: await issue(), by, successor };
}

/**
 * Checks that actor tokens are taken. Who has no use for them may overlook the parameter (RFC 6749 §3.2): the successor
 * then has no `act` more than one without them.
 *
 * @returns a token that is taken for an actor token
 */
export async function takenActor(
  stage: AuthorizationServerStage,
  { by, successor }: RightExchange,
): Promise<IssuedToken> {
  const actor = await stage.token('a token of the actor', EVERY_SCOPE);
  const subject = await stage.token('a token to exchange', EVERY_SCOPE);
  const what = 'with an actor token and its type';
  const spent = await stage.token('a token of the actor', EVERY_SCOPE);
  const delegated = await exchange(stage, what, subject, by, actedBy(spent), { part: 'control' });
  const before = await seen(stage, successor);
  const after = delegated && (await seen(stage, delegated));
  return before?.['act'] === undefined && after?.['act'] !== undefined
    ? actor
    : stage.notApplicable('no successor shows that an actor token was taken');
}

/** A token as the actor token of an exchange (RFC 8693 §2.1). */
export function actedBy({ compact }: Pick<IssuedToken, 'compact'>, type = ACCESS_TOKEN_TYPE): Form {
  return { actor_token: compact, actor_token_type: type };
}

/** What a resource server can learn of a token, from its claims or by introspection; `null`: nothing. */
export async function seen(
  stage: AuthorizationServerStage,
  token: IssuedToken,
  resource: string = stage.registry.audience,
): Promise<Readonly<Record<string, unknown>> | null> {
  if (token.claims !== null) return token.claims;
  if (!stage.claims('introspection')) return null;
  const { hop } = stage.registry;
  const by = resource === hop ? stage.identities.hop : stage.identities.resource;
  const { json } = await stage.introspect('what the token says', token, { by }, resource);
  return json['active'] === true ? json : null;
}

/**
 * Ends the scenario where a token that ought to be session-bound is seen not to be. That is a failure of AS-REG-1, on any
 * server that plays this role; what the draft says of exchanges begins with a token that is session-bound (§3.2).
 */
export async function requireBound(
  stage: AuthorizationServerStage,
  token: IssuedToken,
  resource: string = stage.registry.audience,
): Promise<IssuedToken> {
  const claims = await seen(stage, token, resource);
  if (claims === null || isBound(claims)) return token;
  return stage.notApplicable(
    `a client that is registered for session-bound tokens gets one that is not session-bound (cnf is ${JSON.stringify(claims['cnf'])}), which AS-REG-1 judges: there is no binding that an exchange could pass on or lose`,
  );
}

/** A session-bound token of alice's, for the usual resource. */
export async function boundToken(
  stage: AuthorizationServerStage,
  form: Form = EVERY_SCOPE,
  client: string = CLIENTS.bound,
  resource?: string,
): Promise<IssuedToken> {
  const token = await stage.token('a session-bound token', { ...form, resource }, {}, client);
  return requireBound(stage, token, resource);
}

/** The same for the resource server that is a client too; `null` where there are none for it. */
export async function boundTokenForHop(stage: AuthorizationServerStage): Promise<IssuedToken | null> {
  const token = await tokenForHop(stage);
  const claims = token && (await seen(stage, token, stage.registry.hop));
  if (claims === null || isBound(claims)) return token;
  stage.note('the token for a resource server that is a client too is not session-bound: see AS-REG-1');
  return null;
}

/**
 * A token of a client that is registered for session-bound ones, for the resource server that is a client too; `null`
 * where there are no tokens for it.
 */
export async function tokenForHop(stage: AuthorizationServerStage): Promise<IssuedToken | null> {
  const { hop } = stage.registry;
  const what = 'a session-bound token for a resource server that is a client too';
  const answer = await stage.requestToken(
    what,
    { ...EVERY_SCOPE, resource: hop },
    { part: 'control', expected: 'a token' },
  );
  const token = tokenOf(answer);
  if (token === null) stage.note(`${what}: not issued (${answer.text})`);
  return token === null || (token.claims !== null && ![token.claims['aud']].flat().includes(hop))
    ? null
    : token;
}

/**
 * Judged: a successor is session-bound.
 *
 * @returns whether that could be seen
 */
export async function mustBeBound(
  stage: AuthorizationServerStage,
  what: string,
  token: IssuedToken,
  resource?: string,
): Promise<boolean> {
  const claims = await seen(stage, token, resource);
  if (claims === null) return false;
  stage.holds(
    isBound(claims),
    `${what}: the token that is issued is not session-bound: cnf is ${JSON.stringify(claims['cnf'])}`,
  );
  return true;
}

/** The request is refused, though not as RFC 8693 says. */
const NOT_AN_ERROR =
  'A request that is not valid, or a token that is not, is answered with status 400 and error invalid_request in a JSON object (RFC 8693 §2.2.2, RFC 6749 §5.2).';

/** Judged: the answer is an error response of RFC 6749 §5.2 (RFC 8693 §2.2.2). */
export function isError(stage: AuthorizationServerStage, what: string, answer: Answer, code?: string): void {
  const { status, json, text } = answer;
  if (status < 500) stage.refuses(what, answer);
  if (status < 400) return;
  stage.holds(status === 400, `${what}: answered ${text}, must be 400`, NOT_AN_ERROR);
  const { error } = json;
  stage.holds(
    code === undefined ? typeof error === 'string' : error === code,
    `${what}: error is ${JSON.stringify(error)}, and must be ${code ?? 'a text'}`,
    NOT_AN_ERROR,
  );
}

/** Whether claims, or an introspection response, are those of a session-bound token. */
export function isBound(claims: Readonly<Record<string, unknown>>): boolean {
  return Object.hasOwn(confirmationOf(claims) ?? {}, 'tls_exp');
}

/** Ends the scenario: what is issued cannot be looked into. */
export function unseen(stage: AuthorizationServerStage): never {
  return stage.notApplicable(
    'its access tokens are opaque, and it claims no introspection: their binding cannot be seen',
  );
}

/** Ends the scenario: not even the holder can exchange the token, so that no refusal means anything. */
export function neverExchanged(stage: AuthorizationServerStage): never {
  return stage.inconclusive(
    'a session-bound token is exchanged neither for its holder nor for its intended recipient: see AS-TX-4',
  );
}
