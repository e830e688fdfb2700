import { createPublicKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { ath } from '../forge/read.ts';
import { forgeToken } from '../forge/token.ts';
import type { TokenRequest } from '../forge/token.ts';
import type { WireRequest } from '../wire/connection.ts';
import { publicKeyOf } from './describe.ts';
import { alice, described, NOW, on, part, withToken, withTokenText } from './description.fixture.ts';
import { correct, issuer, PaperConnection, pki } from './target.fixture.ts';

test('a request without anything has its connection and its first line', () => {
  expect(Object.fromEntries(described())).toEqual({
    'connection.tls': 'TLSv1.3',
    'connection.http': 'http/1.1',
    'connection.certificate': 'alice (P-256)',
    'connection.resumed': 'false',
    'connection.extendedMasterSecret': 'true',
    'connection.servername': 'localhost',
    'request.method': 'GET',
    'request.target': '/resource',
    'request.authority': 'the target',
    'request.version': 'HTTP/1.1',
    proof: 'none',
  });
});

test('what a connection differs in is told', () => {
  const connection = on({
    tls: 'TLSv1.2',
    http: 'h2',
    identity: null,
    session: Buffer.alloc(1),
    extendedMasterSecret: false,
    servername: null,
  });
  expect(part(described({ connection }), 'connection.')).toEqual({
    'connection.tls': 'TLSv1.2',
    'connection.http': 'h2',
    'connection.certificate': 'none',
    'connection.resumed': 'true',
    'connection.extendedMasterSecret': 'false',
    'connection.servername': 'none',
  });
  const withheld = new PaperConnection(on().options, 'c1', correct, 'nobody asked');
  expect(described({ connection: withheld }).get('connection.certificate')).toBe(
    'alice (P-256), not presented',
  );
  expect(described({ connection: on({ servername: 'other' }) }).get('connection.servername')).toBe('other');
});

test('what a request differs in is told', () => {
  const request: WireRequest = {
    method: 'POST',
    target: '/x?access_token=a.token',
    authority: 'other.test',
    version: 'HTTP/1.0',
    fields: [
      ['X-A', '1'],
      ['x-a', '2'],
      ['X-Token', 'it is a.token'],
      ['Authorization', 'Bearer a.token'],
      ['AUTHORIZATION', 'other'],
      ['Host', 'h'],
      ['Content-Length', '3'],
      ['Transfer-Encoding', 'chunked'],
      ['Session-Binding-Proof', 'p'],
    ],
    trailers: [
      ['X-T', 'a.token'],
      ['X-T', 'p'],
    ],
    body: Buffer.from('b\xe4 a.token', 'latin1'),
  };
  expect(part(described({ request, sent: { token: 'a.token', proofs: ['p'] } }), 'request.')).toEqual({
    'request.method': 'POST',
    'request.target': '/x?access_token=<token>',
    'request.authority': 'other.test',
    'request.version': 'HTTP/1.0',
    'request.body': 'b\xe4 <token>',
    'request.field.x-a': '1 | 2',
    'request.field.x-token': 'it is <token>',
    'request.authorization': 'Bearer <token> | other',
    'request.trailer.x-t': '<token> | <the proof>',
  });
});

test('the authority is the target’s whether it is said or not', () => {
  const authority = 'rs.tsbt.test:8443';
  expect(described({ request: { authority } }).get('request.authority')).toBe('the target');
  expect(described({ request: { authority: '' } }).get('request.authority')).toBe('');
});

test('a field whose name is not a plain one is told even where it would carry the usual', () => {
  const request = { fields: [['Authorization ', 'Bearer x'] as const] };
  expect(described({ request }).get('request.field.authorization ')).toBe('Bearer x');
});

test('a field of authorization is told although the suite knows of no token', () => {
  const request = { fields: [['authorization', 'Bearer x'] as const] };
  expect(described({ request }).get('request.authorization')).toBe('Bearer x');
  expect(described().has('request.authorization')).toBe(false);
  expect(described({ sent: { token: '' } }).get('request.authorization')).toBe('');
});

test('what is no token is found nowhere', () => {
  const target = (token: string | null) =>
    described({ request: { target: '/null' }, sent: { token } }).get('request.target');
  expect([target(null), target(''), target('/n')]).toEqual(['/null', '/null', '<token>ull']);
});

test('what is long is cut, with its length', () => {
  const body = (length: number) => ({ request: { body: Buffer.alloc(length, 'x') } });
  expect(described(body(160)).get('request.body')).toBe('x'.repeat(160));
  expect(described(body(161)).get('request.body')).toBe(`${'x'.repeat(160)}… (161 characters)`);
});

test('a right token is told by what it means', () => {
  expect(part(withToken(), 'token')).toEqual({
    token: 'JWT',
    'token.header.typ': '"at+jwt"',
    'token.header.alg': '"ES256"',
    'token.header.kid': JSON.stringify(issuer.kid),
    'token.claims.iss': '"https://as.tsbt.test"',
    'token.claims.aud': '"https://rs.tsbt.test"',
    'token.claims.sub': '"alice"',
    'token.claims.client_id': '"tsbt-client"',
    'token.claims.scope': '"tsbt.basic"',
    'token.claims.iat': 'now',
    'token.claims.exp': 'now + 600 s',
    'token.claims.cnf.x5t#S256': "thumbprint of this connection's certificate",
    'token.claims.cnf.tls_exp': '"EXPORTER-oauth-tls-session-bound"',
    'token.signature': "by the issuer's key",
  });
});

test('two tokens of one meaning have one description', () => {
  expect(withToken()).toEqual(withToken());
});

const EKM = on().exporter().toString('base64url');

test.each<[string, Partial<TokenRequest>, string, string]>([
  [
    'mallory’s thumbprint',
    { boundTo: pki.mallory },
    'cnf.x5t#S256',
    "thumbprint of mallory's P-256 certificate",
  ],
  ['an unknown thumbprint', { boundTo: 'unknown' }, 'cnf.x5t#S256', '"unknown"'],
  ['a thumbprint that is no text', { claims: { cnf: { 'x5t#S256': 7 } } }, 'cnf.x5t#S256', '7'],
  ['a confirmation that is no object', { claims: { cnf: ['x'] } }, 'cnf', '["x"]'],
  ['a confirmation that is nothing', { claims: { cnf: null } }, 'cnf', 'null'],
  ['another claim that is an object', { claims: { act: { sub: 'x' } } }, 'act', '{"sub":"x"}'],
  [
    'another member of the confirmation',
    { claims: { cnf: { jkt: pki.mallory.thumbprint } } },
    'cnf.jkt',
    JSON.stringify(pki.mallory.thumbprint),
  ],
  ['an ekm, which means nothing in a token', { claims: { ekm: EKM } }, 'ekm', `"${EKM}"`],
  ['an ath, which means nothing in a token', { claims: { ath: ath('t') } }, 'ath', JSON.stringify(ath('t'))],
])('%s in a token is told as it is', (_what, request, claim, text) => {
  expect(withToken(request).get(`token.claims.${claim}`)).toBe(text);
});

test('what is no JWT is not taken apart', () => {
  const header = Buffer.from('{}').toString('base64url');
  for (const token of ['opaque', 'a.b.c', `${header}.MQ.x`, `MQ.${header}.x`])
    expect(part(withTokenText(token), 'token')).toEqual({ token: 'not a JWT' });
  expect(described().has('token')).toBe(false);
});

test('an opaque token is told by what introspection says', () => {
  const opaqueClaims = {
    sub: 'alice',
    exp: NOW + 600,
    cnf: { 'x5t#S256': alice.thumbprint },
    ath: ath('opaque'),
  };
  expect(part(withTokenText('opaque', { sent: { opaqueClaims } }), 'token')).toEqual({
    token: 'opaque',
    'token.claims.sub': '"alice"',
    'token.claims.exp': 'now + 600 s',
    'token.claims.cnf.x5t#S256': "thumbprint of this connection's certificate",
    'token.claims.ath': JSON.stringify(ath('opaque')),
  });
});

test('times of a token are told from its own making, for as long as a scenario may use it', () => {
  const exp = (age: number, extra: Record<string, unknown> = {}) =>
    withToken({ claims: { iat: NOW - age, exp: NOW - age + 600, ...extra } }).get('token.claims.exp');
  expect(exp(0)).toBe('now + 600 s');
  expect(exp(29)).toBe('now + 600 s');
  expect(exp(30)).toBe('now + 570 s');
  expect(exp(-20)).toBe('now + 620 s');
  expect(exp(20, { iat: NOW - 20.5 })).toBe('now + 580 s');
  expect(exp(20, { iat: String(NOW - 20) })).toBe('now + 580 s');
  const opaqueClaims = { iat: NOW - 20, exp: NOW + 580 };
  expect(withTokenText('opaque', { sent: { opaqueClaims } }).get('token.claims.exp')).toBe('now + 600 s');
});

test('a token that another key signed is told from one that the suite issued', () => {
  expect(withToken({ signWith: pki.mallory }).get('token.signature')).toBe('not by the issuer’s key');
  const { compact } = forgeToken(issuer, { boundTo: alice, signWith: pki.mallory });
  expect(withTokenText(compact, { known: { issuedTokens: new Set([compact]) } }).get('token.signature')).toBe(
    "by the issuer's key",
  );
});

test('the public key of an identity is that of its certificate', () => {
  expect(publicKeyOf(alice).equals(createPublicKey(alice.privateKey))).toBe(true);
  expect(publicKeyOf(alice)).toBe(publicKeyOf(alice));
  expect(publicKeyOf(pki.mallory)).not.toBe(publicKeyOf(alice));
});
