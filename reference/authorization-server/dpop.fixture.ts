import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { type Answer, type AuthorizationServerBench, decoded } from './authorization-server.fixture.ts';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE } from './exchange-request.ts';

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

/** A client with a DPoP key, and the certificate of its connections. */
export interface DpopParty {
  readonly clientId: string;
  readonly identity: AuthorizationServerBench['identities']['alice'];
  readonly keys: KeyPair;
}

/** How a DPoP proof differs from a right one. */
export interface ProofChange {
  readonly claims?: JWTPayload;
  /** Signs with another key than the one in the header. */
  readonly signer?: KeyPair['privateKey'];
}

/** A party with a new DPoP key. */
export async function dpopParty(clientId: string, identity: DpopParty['identity']): Promise<DpopParty> {
  return { clientId, identity, keys: await generateKeyPair('ES256') };
}

/** A DPoP proof for the token endpoint (RFC 9449 §5), right but for the change. */
export async function tokenRequestProof(
  { origin }: AuthorizationServerBench,
  { keys }: DpopParty,
  { claims = {}, signer = keys.privateKey }: ProofChange = {},
): Promise<string> {
  const right = { htm: 'POST', htu: `${origin}/token`, jti: crypto.randomUUID() };
  return new SignJWT({ iat: Math.floor(Date.now() / 1000), ...right, ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(keys.publicKey) })
    .sign(signer);
}

/** A token by client credentials, bound to the party's key. */
export async function dpopToken(
  server: AuthorizationServerBench,
  party: DpopParty,
  form: Readonly<Record<string, string>> = {},
): Promise<string> {
  const request = { grant_type: 'client_credentials', client_id: party.clientId, ...form };
  const dpop = await tokenRequestProof(server, party);
  const { body } = await server.post('/token', request, party.identity, { dpop });
  return String(body['access_token']);
}

/** A token exchange with a DPoP proof. @param dpop the proof; `undefined`: none */
export function dpopExchange(
  server: AuthorizationServerBench,
  { clientId, identity }: DpopParty,
  subject: string,
  dpop: string | undefined,
): Promise<Answer> {
  const form = {
    grant_type: TOKEN_EXCHANGE,
    client_id: clientId,
    subject_token: subject,
    subject_token_type: ACCESS_TOKEN_TYPE,
  };
  return server.post('/token', form, identity, dpop === undefined ? {} : { dpop });
}

/** The names of what an answer's token is bound to, and its type. */
export function bindingsOf({ body }: Answer) {
  const { access_token: token, token_type: type } = body;
  if (typeof token !== 'string') return { error: body['error'] };
  const members = Object.keys(Object.assign({}, decoded(token).claims['cnf'])).sort();
  return { type, members };
}
