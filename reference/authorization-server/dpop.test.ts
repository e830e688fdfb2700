import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accessToken,
  AUDIENCE,
  type AuthorizationServerBench,
  decoded,
  HOP,
  OPAQUE_AUDIENCE,
  startAuthorizationServer,
} from './authorization-server.fixture.ts';
import {
  bindingsOf,
  dpopExchange,
  type DpopParty,
  dpopParty,
  dpopToken,
  tokenRequestProof,
} from './dpop.fixture.ts';
import { start } from './target.ts';

let server: AuthorizationServerBench;
let alice: DpopParty;
let plain: DpopParty;
let hop: DpopParty;

beforeAll(async () => {
  server = await startAuthorizationServer(start);
  const { identities } = server;
  alice = await dpopParty('alice', identities.alice);
  plain = await dpopParty('bearer', identities.alice);
  hop = await dpopParty(HOP, identities.hop);
});
afterAll(() => server[Symbol.asyncDispose]());

const BOTH = ['jkt', 'tls_exp', 'x5t#S256'];

describe('a DPoP proof in a token exchange', () => {
  test('adds its key to the binding of the successor, and makes it a DPoP token', async () => {
    const subject = accessToken(await server.token('alice', alice.identity));
    const answer = await dpopExchange(server, alice, subject, await tokenRequestProof(server, alice));
    expect(bindingsOf(answer)).toEqual({ type: 'DPoP', members: BOTH });
    const jkt = await calculateJwkThumbprint(await exportJWK(alice.keys.publicKey));
    expect(decoded(accessToken(answer)).claims['cnf']).toMatchObject({ jkt });
    const { body } = await server.introspect(accessToken(answer));
    expect(body).toMatchObject({ token_type: 'DPoP', cnf: { jkt } });
  });

  test('is seen of an opaque successor too', async () => {
    const subject = await dpopToken(server, alice, { resource: OPAQUE_AUDIENCE });
    const dpop = await tokenRequestProof(server, alice);
    const form = { subject_token: subject, resource: OPAQUE_AUDIENCE };
    const answer = await server.post(
      '/token',
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        client_id: 'alice',
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        ...form,
      },
      alice.identity,
      { dpop },
    );
    const { body } = await server.introspect(accessToken(answer), OPAQUE_AUDIENCE);
    expect(Object.keys(Object.assign({}, body['cnf'])).sort()).toEqual(BOTH);
  });

  test.each([
    ['for another method', { claims: { htm: 'GET' } }],
    ['for another URI', { claims: { htu: 'https://elsewhere.test/token' } }],
    ['of yesterday', { claims: { iat: 1 } }],
    ['without jti', { claims: { jti: '' } }],
  ])('is refused where it is %s', async (_what, change) => {
    const subject = accessToken(await server.token('alice', alice.identity));
    const dpop = await tokenRequestProof(server, alice, change);
    const answer = await dpopExchange(server, alice, subject, dpop);
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_dpop_proof']);
  });

  test('is refused where another key has signed it, where it is no JWT, and where it comes twice', async () => {
    const subject = accessToken(await server.token('alice', alice.identity));
    const { privateKey: signer } = await generateKeyPair('ES256');
    const right = await tokenRequestProof(server, alice);
    expect((await dpopExchange(server, alice, subject, right)).status).toBe(200);
    for (const dpop of [await tokenRequestProof(server, alice, { signer }), 'x', right])
      expect(bindingsOf(await dpopExchange(server, alice, subject, dpop))).toEqual({
        error: 'invalid_dpop_proof',
      });
  });

  test('is not used up by a request that is refused for something else', async () => {
    const subject = accessToken(await server.token('alice', alice.identity));
    const dpop = await tokenRequestProof(server, alice);
    expect((await dpopExchange(server, alice, 'none', dpop)).status).toBe(400);
    expect((await dpopExchange(server, alice, subject, dpop)).status).toBe(200);
  });
});

describe('a token that is bound to a DPoP key', () => {
  test('is exchanged by its holder with a proof of that key alone', async () => {
    for (const party of [alice, plain]) {
      const subject = await dpopToken(server, party);
      const other = await dpopParty(party.clientId, party.identity);
      const proofs = [undefined, await tokenRequestProof(server, other)];
      for (const dpop of proofs) expect((await dpopExchange(server, party, subject, dpop)).status).toBe(400);
      const own = await tokenRequestProof(server, party);
      expect((await dpopExchange(server, party, subject, own)).status).toBe(200);
    }
  });

  test('has no successor that is bound to nothing', async () => {
    const keyBound = await dpopToken(server, plain, { resource: HOP });
    expect((await dpopExchange(server, hop, keyBound, undefined)).body['error']).toBe('invalid_request');
    const rebound = await dpopExchange(server, hop, keyBound, await tokenRequestProof(server, hop));
    expect(bindingsOf(rebound)).toEqual({ type: 'DPoP', members: ['jkt'] });
    const refresh = {
      grant_type: 'refresh_token',
      client_id: HOP,
      refresh_token: String(rebound.body['refresh_token']),
    };
    expect((await server.post('/token', refresh, hop.identity)).status).toBe(400);
    const dpop = await tokenRequestProof(server, hop);
    const refreshed = await server.post('/token', refresh, hop.identity, { dpop });
    expect(bindingsOf(refreshed)).toEqual({ type: 'DPoP', members: ['jkt'] });
  });

  test('passes on that it is session-bound, with a DPoP proof and without', async () => {
    const subject = await dpopToken(server, alice, { resource: HOP });
    const without = await dpopExchange(server, hop, subject, undefined);
    expect(bindingsOf(without)).toEqual({ type: 'Bearer', members: ['tls_exp', 'x5t#S256'] });
    const proven = await dpopExchange(server, hop, subject, await tokenRequestProof(server, hop));
    expect(bindingsOf(proven)).toEqual({ type: 'DPoP', members: BOTH });
    expect(decoded(accessToken(proven)).claims.aud).toBe(AUDIENCE);
  });
});
