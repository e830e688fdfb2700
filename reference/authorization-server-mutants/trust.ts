import { EmbeddedJWK, type JWTPayload, jwtVerify } from 'jose';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { certificateOf } from '../authorization-server/client-certificate.ts';
import { verifyJwt } from '../authorization-server/token-finder.ts';
import { answering, binding, withParts } from './making.ts';
import type { AuthorizationServerMutant } from './mutant.ts';

/** The claims of a JWT that the client of a request signed with the key of its certificate. */
async function claimsByClient(token: string, context: KoaContextWithOIDC, typ?: string): Promise<JWTPayload> {
  const certificate = certificateOf(context);
  if (certificate === undefined) throw new Error('no certificate');
  const { payload } = await jwtVerify(token, certificate.x509.publicKey, typ === undefined ? {} : { typ });
  return payload;
}

/** The claims of a JWT that the key in its own header signed. */
async function claimsByHeader(token: string): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, EmbeddedJWK, { typ: 'at+jwt' });
  return payload;
}

/** Mistakes with keys, and with JWTs of another purpose (draft -06 §2.3, §6; RFC 8725 §2.8, §3.11). */
export const trustMutants: readonly AuthorizationServerMutant[] = [
  {
    id: 'M-AS-26',
    mistake: 'trusts tokens that a client signed with its own key',
    breaks: ['AS-SEC-1', 'AS-TX-7'],
    variant: () =>
      withParts({
        verifyJwt: (token, issuer, context) =>
          verifyJwt(token, issuer, context).catch(() => claimsByClient(token, context, 'at+jwt')),
      }),
  },
  {
    id: 'M-AS-213',
    mistake: 'verifies a token with the key in its own header, where there is one',
    breaks: ['AS-SEC-1'],
    variant: () =>
      withParts({
        verifyJwt: (token, issuer, context) =>
          verifyJwt(token, issuer, context).catch(() => claimsByHeader(token)),
      }),
  },
  {
    id: 'M-AS-148',
    mistake: 'publishes the key of each client certificate in the JWK Set that tokens are verified with',
    breaks: ['AS-SEC-1'],
    variant() {
      const published = new Map<string, object>();
      const { parts } = answering('/jwks', (body) => ({
        ...body,
        keys: [...(body['keys'] as readonly object[]), ...published.values()],
      }));
      return {
        parts: (defaults) => ({
          ...parts?.(defaults),
          certificateOf(context) {
            const certificate = certificateOf(context);
            if (certificate !== undefined) {
              const jwk = certificate.x509.publicKey.export({ format: 'jwk' });
              published.set(certificate.thumbprint, { ...jwk, kid: certificate.thumbprint, use: 'sig' });
            }
            return certificate;
          },
        }),
      };
    },
  },
  {
    id: 'M-AS-149',
    mistake: 'takes whatever JWT a client signed for an access token of that client',
    breaks: ['AS-TX-7'],
    variant: () =>
      withParts({
        verifyJwt: (token, issuer, context) =>
          verifyJwt(token, issuer, context).catch(async () => {
            const clientId = context.oidc.client?.clientId ?? '';
            return {
              sub: clientId,
              client_id: clientId,
              exp: 4e9,
              ...(await claimsByClient(token, context)),
            };
          }),
      }),
  },
  {
    id: 'M-AS-150',
    mistake: 'takes a proof for a client assertion',
    breaks: ['AS-TX-7'],
    variant: () => binding({ isAssertion: () => true }),
  },
];
