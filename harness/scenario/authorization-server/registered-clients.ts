import { X509Certificate } from 'node:crypto';
import type { Identity } from '../../../certs/identity.ts';

/** What the authorization server under test knows of the suite's clients, and who they are; plain data. */
export interface Registry {
  /** The resource whose access tokens are JWTs, and the client that introspects for it. */
  readonly audience: string;
  /** The resource whose access tokens are opaque, with the capability `opaque-tokens`. */
  readonly opaqueAudience: string;
  /** The resource whose access tokens are valid for five seconds at most, with the capability `short-lived-tokens`. */
  readonly shortLivedAudience: string;
  /** A resource server that is a client too: B in a chain. Its identifier is its resource. */
  readonly hop: string;
  /** Of the client `secret`. */
  readonly secret: string;
  readonly identities: {
    readonly alice: Identity;
    /** Another certificate of alice's, of the same subject and key, with an intermediate in its chain. */
    readonly renewed: Identity;
    readonly hop: Identity;
    readonly resource: Identity;
    readonly mallory: Identity;
    /** A certificate that its owner has signed (RFC 8705 §2.2). */
    readonly own: Identity;
    /** Of alice's subject, by an authority that nobody trusts. */
    readonly stranger: Identity;
  };
}

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const SESSION_BOUND = { tls_session_bound_access_tokens: true };

/** Identifiers of the clients that are alice, by what they are registered for. */
export const CLIENTS = {
  /** `tls_session_bound_access_tokens: true` */
  bound: 'tsbt-bound',
  /** The same, and `tls_client_certificate_bound_access_tokens: true`. */
  both: 'tsbt-both',
  /** The same, with `tls_client_certificate_bound_access_tokens: false` said aloud. */
  contradictory: 'tsbt-contradictory',
  /** `tls_session_bound_access_tokens: true`, and may have refresh tokens. */
  refreshing: 'tsbt-refreshing',
  /** `tls_client_certificate_bound_access_tokens: true` alone (RFC 8705). */
  certificate: 'tsbt-certificate',
  /** Says nothing of bindings. */
  plain: 'tsbt-plain',
  /** `tls_session_bound_access_tokens: false` */
  unbound: 'tsbt-unbound',
  /** Session-bound, by a certificate that the client has signed itself. */
  own: 'tsbt-own',
  /** Session-bound, authenticated by a secret. */
  secret: 'tsbt-secret',
  /** Session-bound, authenticated by an assertion that alice's key signs (RFC 7523). */
  key: 'tsbt-key',
  /** The attacker: a client with a certificate and a registration of its own. */
  mallory: 'tsbt-mallory',
} as const;

/** The content of `TSBT_CLIENTS_FILE`: metadata of RFC 7591 §2 with `client_id`. */
export function registrations(registry: Registry): readonly Readonly<Record<string, unknown>>[] {
  const { identities, audience, opaqueAudience, shortLivedAudience, hop, secret } = registry;
  const grant_types = ['client_credentials', TOKEN_EXCHANGE];
  const client = (client_id: string, { name }: Identity, further: object = {}) => ({
    client_id,
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: `CN=${name}`,
    grant_types,
    scope: 'tsbt.basic tsbt.scoped',
    ...further,
  });
  const { alice } = identities;
  const certificate = new X509Certificate(identities.own.certificate);
  const ownKey = {
    ...certificate.publicKey.export({ format: 'jwk' }),
    x5c: [certificate.raw.toString('base64')],
  };
  const aliceKey = new X509Certificate(alice.certificate).publicKey.export({ format: 'jwk' });
  const without = ({ tls_client_auth_subject_dn: _subject, ...rest }: ReturnType<typeof client>) => rest;
  return [
    client(CLIENTS.bound, alice, SESSION_BOUND),
    client(CLIENTS.both, alice, { ...SESSION_BOUND, tls_client_certificate_bound_access_tokens: true }),
    client(CLIENTS.contradictory, alice, {
      ...SESSION_BOUND,
      tls_client_certificate_bound_access_tokens: false,
    }),
    client(CLIENTS.refreshing, alice, {
      ...SESSION_BOUND,
      grant_types: [...grant_types, 'refresh_token'],
    }),
    client(CLIENTS.certificate, alice, { tls_client_certificate_bound_access_tokens: true }),
    client(CLIENTS.plain, alice),
    client(CLIENTS.unbound, alice, { tls_session_bound_access_tokens: false }),
    client(CLIENTS.mallory, identities.mallory, { tls_client_certificate_bound_access_tokens: true }),
    client(hop, identities.hop, { grant_types: [...grant_types, 'refresh_token'] }),
    client(audience, identities.resource),
    client(opaqueAudience, identities.resource),
    client(shortLivedAudience, identities.resource),
    {
      ...without(client(CLIENTS.own, identities.own, SESSION_BOUND)),
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: { keys: [ownKey] },
    },
    {
      ...without(client(CLIENTS.secret, alice, SESSION_BOUND)),
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret: secret,
    },
    {
      ...without(client(CLIENTS.key, alice, SESSION_BOUND)),
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [aliceKey] },
    },
  ];
}
