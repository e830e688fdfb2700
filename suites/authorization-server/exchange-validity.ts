import { forgeJwt } from '../../harness/forge/jwt.ts';
import type { AuthorizationServerStage } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import { tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import type {
  Answer,
  IssuedToken,
  ReadableToken,
} from '../../harness/scenario/authorization-server/issued.ts';
import {
  ACCESS_TOKEN_TYPE,
  EVERY_SCOPE,
  JWT_TYPE,
  actedBy,
  exchange,
  isError,
  partiesOf,
  rightExchange,
  takenActor,
} from './exchange.ts';
import type { Exchanger } from './exchange.ts';

/** draft -06 §4.6, RFC 8693 §2.1, §2.2.2: an exchange validates the tokens that it is given. */

const EXPIRED =
  'A token is found by its signature, or where it is stored, and its end is not looked at. Whoever exchanges an expired token has a fresh one: answer invalid_request (RFC 8693 §2.2.2).';
const FOREIGN =
  'A token is taken at its word because it is a well-formed JWT access token. Exchange those of issuers alone whose keys are configured, and verify them with these keys; where others are trusted, compare iss with them (RFC 8693 §2.1, RFC 9068 §4).';

const FOREIGN_ISSUER = 'https://other-as.tsbt.test';
/** How often a token that lives for seconds is asked for, on a machine that is slow today. */
const ATTEMPTS = 3;
/** A clock that counts seconds has surely passed the end of a token after so many milliseconds. */
const SETTLED_MS = 1100;

/** A token that was exchanged in time, and another like it with its end. */
interface Brief {
  readonly by: Exchanger;
  readonly token: IssuedToken;
  /** Milliseconds since the epoch. */
  readonly end: number;
}

/** A token for the resource whose tokens end soon, and when it ends. */
async function briefToken(
  stage: AuthorizationServerStage,
  { client, who }: Exchanger,
): Promise<Pick<Brief, 'token' | 'end'>> {
  const { shortLivedAudience: resource } = stage.registry;
  const what = `a short-lived token of ${who}`;
  const answer = await stage.requestToken(what, { ...EVERY_SCOPE, resource }, {}, client);
  const token = tokenOf(answer) ?? stage.inconclusive(`${what}: not issued (${answer.text})`);
  const { expires_in: seconds } = answer.json;
  const { exp } = token.claims ?? {};
  const end = typeof exp === 'number' ? exp : Date.now() / 1000 + Number(seconds);
  if (!Number.isFinite(end) || end * 1000 > Date.now() + 6000)
    stage.inconclusive(
      `${what}: it is not valid for five seconds at most, though short-lived-tokens is claimed (expires_in is ${JSON.stringify(seconds)})`,
    );
  return { token, end: end * 1000 };
}

/** A token that is exchanged while it is valid, beside one like it that is not exchanged yet. */
async function inTime(stage: AuthorizationServerStage, by: Exchanger): Promise<Brief> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { token: spent, end } = await briefToken(stage, by);
    const { token, end: later } = await briefToken(stage, by);
    const what = `exchanged in time by ${by.who}`;
    if ((await exchange(stage, what, spent, by, {}, { part: 'control' })) !== null)
      return { by, token, end: later };
    if (Date.now() < end) stage.inconclusive(`${what}: refused while it is valid: see AS-TX-4`);
  }
  return stage.inconclusive('a short-lived token ends before it is exchanged', 'environment');
}

/**
 * Judged: an exchange after the end is refused. One that is granted is broken where the server itself calls the token
 * inactive; else it may be leeway for clocks, of which nobody has said how much (RFC 7519 §4.1.4).
 */
async function judgeExpired(
  stage: AuthorizationServerStage,
  what: string,
  { token }: Brief,
  answer: Answer,
): Promise<void> {
  if (tokenOf(answer) === null) return isError(stage, what, answer, 'invalid_request');
  const { shortLivedAudience } = stage.registry;
  const told = stage.claims('introspection')
    ? await stage.introspect('the expired token', token, {}, shortLivedAudience)
    : null;
  if (told?.json['active'] === false)
    stage.holds(false, `${what}: granted, and introspection calls that token inactive`);
  else stage.observe(`${what}: granted, for a check that is missing or leeway (RFC 7519 §4.1.4)`);
}

/** The token with another issuer, signed with a key that the server has never heard of. */
function foreign(stage: AuthorizationServerStage, { header, claims }: ReadableToken): string {
  const { mallory } = stage.identities;
  const compact = forgeJwt({
    header: { ...header, alg: undefined, kid: mallory.thumbprint },
    claims: { ...claims, iss: FOREIGN_ISSUER, jti: crypto.randomUUID() },
    algorithm: 'ES256',
    key: mallory,
  });
  stage.evidence.conceal(compact);
  return compact;
}

export const exchangeValidity = authorizationServerSuite('as-exchange-validity', [
  {
    id: 'AS-TX-4.expired',
    title: 'exchanges no token that has expired, session-bound or not',
    capabilities: ['token-exchange', 'short-lived-tokens'],
    cause: EXPIRED,
    waits: true,
    async run(stage) {
      const { holder, plain } = partiesOf(stage);
      const briefs = [await inTime(stage, holder), await inTime(stage, plain)];
      for (const brief of briefs) {
        const { by, token, end } = brief;
        await stage.until(end + SETTLED_MS);
        const what = `an expired subject token, by ${by.who}`;
        const answer = await stage.requestExchange(what, token, by.client, {}, { by: by.by });
        await judgeExpired(stage, what, brief, answer);
      }
    },
  },
  {
    id: 'AS-TX-4.expired-actor',
    title: 'takes no actor token that has expired',
    capabilities: ['token-exchange', 'short-lived-tokens'],
    cause: EXPIRED,
    waits: true,
    async run(stage) {
      const right = await rightExchange(stage);
      await takenActor(stage, right);
      const { subject, by } = right;
      const brief = await inTime(stage, by);
      await stage.until(brief.end + SETTLED_MS);
      const what = 'with an expired actor token';
      const form = actedBy(brief.token);
      const answer = await stage.requestExchange(what, subject, by.client, form, { by: by.by });
      await judgeExpired(stage, what, brief, answer);
    },
  },
  {
    id: 'AS-TX-4.issuer',
    title: 'exchanges no token of an issuer that it does not know, however much it looks like one of its own',
    capabilities: ['token-exchange'],
    cause: FOREIGN,
    async run(stage) {
      const { subject, by } = await rightExchange(stage);
      const { header, claims } = subject;
      if (header === null || claims === null)
        return stage.notApplicable('its access tokens are opaque: another issuer’s do not look like them');
      const readable = { ...subject, header, claims };
      for (const [called, type] of [
        ['an access token', ACCESS_TOKEN_TYPE],
        ['a JWT', JWT_TYPE],
      ] as const) {
        const what = `a token of another issuer, called ${called}`;
        const form = { subject_token: foreign(stage, readable), subject_token_type: type };
        const answer = await stage.requestExchange(what, subject, by.client, form, { by: by.by });
        isError(stage, what, answer, 'invalid_request');
      }
    },
  },
]);
