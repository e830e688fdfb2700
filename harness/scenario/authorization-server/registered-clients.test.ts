import { createPublicKey, X509Certificate } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Identity } from '../../../certs/identity.ts';
import { registry } from './authorization-server-target.fixture.ts';
import { CLIENTS, registrations } from './registered-clients.ts';

type Registration = Readonly<Record<string, unknown>>;

// Made in each test, not once for the file: what runs while a file is loaded, Stryker counts for no test.
const all = () => registrations(registry);
const { alice, hop, mallory, own, resource } = registry.identities;

function registrationOf(clientId: string): Registration {
  const [found, ...more] = all().filter((one) => one['client_id'] === clientId);
  if (found === undefined || more.length > 0) throw new Error(`${clientId} is to be registered once`);
  return found;
}

/** The flags of a registration, as they are said. */
function flagsOf(registration: Registration): Registration {
  return Object.fromEntries(Object.entries(registration).filter(([, value]) => typeof value === 'boolean'));
}

/** The only key of a registration. */
function keyOf({ jwks }: Registration): JsonWebKey & { readonly x5c?: readonly string[] } {
  const { keys } = jwks as { readonly keys: readonly JsonWebKey[] };
  const [key, ...more] = keys;
  if (key === undefined || more.length > 0) throw new Error('there is to be one key');
  return key;
}

function isKeyOf(key: JsonWebKey, identity: Identity): boolean {
  return createPublicKey({ key, format: 'jwk' }).equals(createPublicKey(identity.privateKey));
}

test('every client is registered once, and so is everything that tokens are for', () => {
  const { audience, opaqueAudience, shortLivedAudience } = registry;
  const expected = [...Object.values(CLIENTS), audience, opaqueAudience, shortLivedAudience, registry.hop];
  expect(
    all()
      .map((one) => String(one['client_id']))
      .sort(),
  ).toEqual(expected.sort());
});

const [SESSION, CERTIFICATE] = [
  'tls_session_bound_access_tokens',
  'tls_client_certificate_bound_access_tokens',
];

test.each<[string, Registration]>([
  [CLIENTS.bound, { [SESSION]: true }],
  [CLIENTS.both, { [SESSION]: true, [CERTIFICATE]: true }],
  [CLIENTS.contradictory, { [SESSION]: true, [CERTIFICATE]: false }],
  [CLIENTS.refreshing, { [SESSION]: true }],
  [CLIENTS.certificate, { [CERTIFICATE]: true }],
  [CLIENTS.plain, {}],
  [CLIENTS.unbound, { [SESSION]: false }],
  [CLIENTS.own, { [SESSION]: true }],
  [CLIENTS.secret, { [SESSION]: true }],
  [CLIENTS.key, { [SESSION]: true }],
  [CLIENTS.mallory, { [CERTIFICATE]: true }],
  [registry.hop, {}],
  [registry.audience, {}],
])('%s wants its tokens bound as its name says (%j)', (clientId, flags) => {
  expect(flagsOf(registrationOf(clientId))).toEqual(flags);
});

test.each<[string, Identity]>([
  [CLIENTS.bound, alice],
  [CLIENTS.both, alice],
  [CLIENTS.contradictory, alice],
  [CLIENTS.refreshing, alice],
  [CLIENTS.certificate, alice],
  [CLIENTS.plain, alice],
  [CLIENTS.unbound, alice],
  [CLIENTS.mallory, mallory],
  [registry.hop, hop],
  [registry.audience, resource],
  [registry.opaqueAudience, resource],
  [registry.shortLivedAudience, resource],
])('%s is known by the subject of its owner’s certificate', (clientId, identity) => {
  expect(registrationOf(clientId)).toMatchObject({
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: new X509Certificate(identity.certificate).subject,
  });
});

test('all may have both scopes and exchange tokens, and two may have refresh tokens', () => {
  const usual = ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'];
  const refreshing: readonly unknown[] = [CLIENTS.refreshing, registry.hop];
  for (const { client_id, grant_types, scope } of all()) {
    expect([client_id, grant_types]).toEqual([
      client_id,
      refreshing.includes(client_id) ? [...usual, 'refresh_token'] : usual,
    ]);
    expect(scope).toBe('tsbt.basic tsbt.scoped');
  }
});

test('a certificate that its owner has signed is registered itself, with its key (RFC 8705 §2.2)', () => {
  const registration = registrationOf(CLIENTS.own);
  expect(registration['token_endpoint_auth_method']).toBe('self_signed_tls_client_auth');
  const { x5c = [], ...key } = keyOf(registration);
  expect(isKeyOf(key, own)).toBe(true);
  expect(x5c.map((one) => new X509Certificate(Buffer.from(one, 'base64')).toString())).toEqual([
    own.certificate,
  ]);
  // Standard base64 of the DER, on one line (RFC 7517 §4.7).
  expect(x5c[0]).toMatch(/^[A-Za-z0-9+/]+=*$/);
});

test('a client with a secret is known by it', () => {
  expect(registrationOf(CLIENTS.secret)).toMatchObject({
    token_endpoint_auth_method: 'client_secret_basic',
    client_secret: registry.secret,
  });
});

test('a client that signs assertions is known by alice’s key, of which the public half is told', () => {
  const registration = registrationOf(CLIENTS.key);
  expect(registration['token_endpoint_auth_method']).toBe('private_key_jwt');
  const key = keyOf(registration);
  expect(isKeyOf(key, alice)).toBe(true);
  expect(key).not.toHaveProperty('d');
  expect(key).not.toHaveProperty('x5c');
});

test.each([CLIENTS.own, CLIENTS.secret, CLIENTS.key])(
  '%s is not known by a subject, and no other client by a secret or a key',
  (clientId) => {
    expect(registrationOf(clientId)).not.toHaveProperty('tls_client_auth_subject_dn');
    const known = (member: string) =>
      all()
        .filter((one) => member in one)
        .map((one) => one['client_id']);
    expect(known('client_secret')).toEqual([CLIENTS.secret]);
    expect(known('jwks')).toEqual([CLIENTS.own, CLIENTS.key]);
  },
);
