import { readJwt } from '../../harness/forge/read.ts';
import type { Token } from '../../harness/forge/token.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import type { TokenPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { answered } from './token-expiry.ts';

/** draft -06 §3.4: tokens resolved by introspection. */

const RESPONSE_IGNORED =
  'The cnf member of the introspection response is not enforced as the claim of a JWT would be (RFC 7662 §2.2, RFC 8705 §3.2). Hand it to the same checks.';
const STRICTER =
  'JWT and introspection response differ about tls_exp, and the laxer one was followed. Demand the proof where either of them does.';
const OPAQUE: TokenPlan = { opaque: true };

export const introspection = suite('resource-server', 'introspection', [
  {
    id: 'RS-INT-1',
    title: 'enforces the cnf member of an introspection response like that of a JWT',
    capabilities: ['introspection'],
    cause: RESPONSE_IGNORED,
    async run(stage) {
      const elsewhere = await stage.connect();
      await stage.refuses(
        refused('invalid_proof'),
        [
          { what: 'no proof', change: { proof: null }, expect: refused('use_session_binding') },
          {
            what: 'ekm is the exporter value of another connection',
            change: { proof: { forConnection: elsewhere } },
          },
          {
            what: 'ath is the hash of another token',
            change: { proof: { forToken: await stage.mint(OPAQUE) } },
          },
          {
            what: 'on mallory’s connection, with mallory’s proof',
            connect: { identity: stage.mallory },
            differs: ['connection.certificate', 'token.claims.cnf.x5t#S256'],
            expect: refused('invalid_token', 'invalid_proof'),
          },
          {
            what: 'the response’s cnf has tls_exp only',
            change: { token: { boundTo: null } },
            expect: refused('401'),
          },
        ],
        { token: OPAQUE },
      );
    },
  },
  {
    id: 'RS-INT-2',
    title: 'follows the stricter one where a JWT and the introspection response about it differ',
    capabilities: ['introspection'],
    cause: STRICTER,
    async run(stage) {
      const agreeing = await jwtWithResponse(stage, {}, (cnf) => cnf);
      const control = await stage.control('JWT and response have tls_exp', { token: agreeing });
      const laxResponse = await jwtWithResponse(stage, {}, () => undefined);
      await stage.refusesOne(
        refused('401'),
        {
          what: 'the JWT has tls_exp, the response has no cnf; no proof',
          change: { token: laxResponse, proof: null },
        },
        control,
      );
      const laxToken = await jwtWithResponse(stage, { sessionBound: false }, (cnf) => ({
        ...cnf,
        tls_exp: 'EXPORTER-oauth-tls-session-bound',
      }));
      const { served } = answered(
        stage,
        await stage.send(
          'the JWT has no tls_exp, the response has; no proof',
          { token: laxToken, proof: null },
          {},
          'variant',
          'refused, if the response is consulted',
        ),
      );
      const asked = await stage.setting.introspection?.requests(laxToken.compact);
      if (asked === 0) stage.note('the target validates JWTs itself and does not ask about them');
      else
        stage.holds(
          !served,
          'the JWT has no tls_exp, the response that was asked for has, and the request without proof was served',
        );
      await stage.control('JWT and response have tls_exp, again', { token: agreeing });
    },
  },
]);

/** A JWT about which the introspection endpoint knows what the JWT says, but for `cnf`. */
async function jwtWithResponse(
  stage: Stage,
  plan: TokenPlan,
  cnfOf: (cnf: Readonly<Record<string, unknown>>) => unknown,
): Promise<Token> {
  const token = await stage.mint(plan);
  const { cnf, ...claims } = readJwt(token.compact).claims as {
    readonly cnf: Readonly<Record<string, unknown>>;
  };
  await stage.setting.introspection?.register(token.compact, {
    active: true,
    token_type: 'Bearer',
    ...claims,
    cnf: cnfOf(cnf),
  });
  return token;
}
