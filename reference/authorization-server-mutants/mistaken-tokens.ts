import { decodeProtectedHeader } from 'jose';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { TOKEN_EXCHANGE, ACCESS_TOKEN_TYPE } from '../authorization-server/exchange-request.ts';
import { defaultSessionBinding } from '../authorization-server/session-binding.ts';
import { mayExchange } from '../authorization-server/token-access.ts';
import { PROOF_TYPE } from '../proof/vocabulary.ts';
import { answering, binding, parameter, withParts } from './making.ts';
import type { AuthorizationServerMutant } from './mutant.ts';

/** Has the server read another form than the one that was sent to the token endpoint. */
function rewriting(
  change: (form: URLSearchParams, context: KoaContextWithOIDC) => URLSearchParams | undefined,
) {
  return async (context: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> => {
    if (context.path === '/token' && context.is('application/x-www-form-urlencoded')) {
      const chunks: Buffer[] = [];
      for await (const chunk of context.req) chunks.push(chunk as Buffer);
      const sent = Buffer.concat(chunks).toString();
      const form = change(new URLSearchParams(sent), context)?.toString() ?? sent;
      const { req } = context;
      req.headers['content-length'] = String(Buffer.byteLength(form));
      // The library reads the octets by this iterator, if the request still counts as readable.
      Object.defineProperty(req, 'readable', { value: true });
      Object.assign(req, { iterator: () => [Buffer.from(form)].values() });
    }
    await next();
  };
}

function isProof(text: string | null): boolean {
  try {
    return decodeProtectedHeader(text ?? '').typ === PROOF_TYPE;
  } catch {
    return false;
  }
}

/** The form with other values; `undefined` takes a parameter away. */
function changed(
  form: URLSearchParams,
  values: Readonly<Record<string, string | undefined>>,
): URLSearchParams {
  for (const [name, value] of Object.entries(values))
    if (value === undefined) form.delete(name);
    else form.set(name, value);
  return form;
}

/** Takes whoever sends a proof for its client assertion for the client that last got a token by that certificate. */
function clientOfProof() {
  const clients = new Map<string, string>();
  const fingerprint = ({ socket }: KoaContextWithOIDC): string =>
    'getPeerX509Certificate' in socket
      ? ((
          socket as { getPeerX509Certificate(): { fingerprint256: string } | undefined }
        ).getPeerX509Certificate()?.fingerprint256 ?? '')
      : '';
  const rewrite = rewriting((form, context) => {
    const client_id = clients.get(fingerprint(context));
    if (client_id === undefined || !isProof(form.get('client_assertion'))) return undefined;
    return changed(form, { client_id, client_assertion: undefined, client_assertion_type: undefined });
  });
  return withParts({
    async around(context, next) {
      await rewrite(context, next);
      const { body, oidc } = context;
      const client = context.path === '/token' ? oidc.client : undefined;
      const hasToken = typeof body === 'object' && body !== null && 'access_token' in body;
      if (hasToken && client?.clientAuthMethod === 'tls_client_auth')
        clients.set(fingerprint(context), client.clientId);
    },
  });
}

/** Exchanges the token that came with a refresh token, for a client that the refresh token was not issued to. */
function refreshingForAll() {
  const issued = new Map<string, { readonly clientId: string; readonly token: string }>();
  const loose = new Set<string | undefined>();
  const rewrite = rewriting((form) => {
    const first = issued.get(form.get('refresh_token') ?? '');
    if (form.get('grant_type') !== 'refresh_token' || first === undefined) return undefined;
    if (form.get('client_id') === first.clientId) return undefined;
    loose.add(first.token);
    return changed(form, {
      grant_type: TOKEN_EXCHANGE,
      refresh_token: undefined,
      subject_token: first.token,
      subject_token_type: ACCESS_TOKEN_TYPE,
    });
  });
  return withParts({
    async around(context, next) {
      await rewrite(context, next);
      const { access_token: token, refresh_token: refreshToken } = Object.assign(
        { access_token: undefined, refresh_token: undefined },
        typeof context.body === 'object' ? context.body : {},
      ) as Readonly<Record<string, unknown>>;
      const clientId = context.oidc?.client?.clientId;
      if (typeof token === 'string' && typeof refreshToken === 'string' && clientId !== undefined)
        issued.set(refreshToken, { clientId, token });
    },
    mayExchange: (requester, token, as) =>
      loose.has(parameter(requester.context, `${as}_token`)) || mayExchange(requester, token, as),
  });
}

/** Mistakes with what a token, an assertion or an answer is taken for. */
export const mistakenTokenMutants: readonly AuthorizationServerMutant[] = [
  {
    id: 'M-AS-312',
    mistake: 'takes an access token for a refresh token, of whoever has it',
    breaks: ['AS-T6-3'],
    variant() {
      const refreshed = new Set<string | undefined>();
      return withParts({
        around: rewriting((form) => {
          const token = form.get('refresh_token') ?? '';
          if (form.get('grant_type') !== 'refresh_token' || token.split('.').length !== 3) return undefined;
          refreshed.add(token);
          return changed(form, {
            grant_type: TOKEN_EXCHANGE,
            refresh_token: undefined,
            subject_token: token,
            subject_token_type: ACCESS_TOKEN_TYPE,
          });
        }),
        mayExchange: (requester, token, as) =>
          refreshed.has(parameter(requester.context, `${as}_token`)) || mayExchange(requester, token, as),
      });
    },
  },
  {
    id: 'M-AS-313',
    mistake: 'takes a Session-Binding Proof for the assertion of an authorization grant',
    breaks: ['AS-TX-7'],
    variant: () =>
      withParts({
        around: rewriting((form) =>
          isProof(form.get('assertion'))
            ? changed(form, { grant_type: 'client_credentials', assertion: undefined })
            : undefined,
        ),
      }),
  },
  {
    id: 'M-AS-314',
    mistake:
      'takes who sends a Session-Binding Proof for client assertion for the client of that certificate',
    breaks: ['AS-TX-7'],
    variant: clientOfProof,
  },
  {
    id: 'M-AS-315',
    mistake: 'writes what is wrong with an exchange into an object instead of an error code',
    breaks: ['AS-TX-4'],
    variant: () =>
      answering('/token', (body, { oidc }) =>
        'error' in body && oidc.params?.['grant_type'] === TOKEN_EXCHANGE
          ? { ...body, error: { code: body['error'] } }
          : body,
      ),
  },
  {
    id: 'M-AS-316',
    mistake:
      'takes any flag for true, and issues no token to a registered client until somebody has looked at it',
    breaks: ['AS-REG-3'],
    variant: () =>
      binding({
        readClientMetadata: (value = false) => (typeof value === 'boolean' ? value : true),
        confirm(issuance) {
          // The identifiers that the library gives out.
          if (/^[\w-]{43}$/.test(issuance.client.clientId))
            throw new errors.InvalidRequest('the client waits for an administrator');
          return defaultSessionBinding.confirm(issuance);
        },
      }),
  },
  {
    id: 'M-AS-317',
    mistake: 'serves a refresh token to every client that authenticates, whoever it was issued to',
    breaks: ['AS-GRANT-2'],
    variant: refreshingForAll,
  },
  {
    id: 'M-AS-318',
    mistake: 'gives everything that has to do with session binding one typ, access tokens too',
    breaks: ['AS-SEC-1'],
    variant: () => binding({ tokenType: PROOF_TYPE }),
  },
];
