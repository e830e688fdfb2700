import { expect, test } from 'vitest';
import type { Identity } from '../../certs/identity.ts';
import type { Token } from '../forge/token.ts';
import type { Connection } from '../wire/connection.ts';
import { combine, declaredDifference, isToken } from './request.ts';
import type { Variation } from './request.ts';

const TOKEN: Token = { compact: 't', sha256: 's', subject: 'alice' };
/** Only told apart from nothing, never looked into. */
const IDENTITY = { name: 'mallory' } as Identity;
const CONNECTION = { id: 'c2' } as Connection;

test('claims of two plans are combined, other members are replaced', () => {
  const combined = combine(
    { method: 'POST', proof: { claims: { htm: 'POST' } }, fields: [['A', '1']] },
    { proof: { claims: { ekm: 'x' }, algorithm: 'ES384' }, fields: [['B', '2']] },
  );
  expect(combined).toEqual({
    method: 'POST',
    proof: { claims: { htm: 'POST', ekm: 'x' }, algorithm: 'ES384' },
    fields: [
      ['A', '1'],
      ['B', '2'],
    ],
  });
});

test('a proof that is left out, or given as text, replaces the planned one', () => {
  expect(combine({ proof: { claims: { a: 1 } } }, { proof: null })).toEqual({ proof: null });
  expect(combine({ proof: { claims: { a: 1 } } }, { proof: 'text' })).toEqual({ proof: 'text' });
});

test.each<[string, Omit<Variation, 'what'>, readonly string[]]>([
  ['a claim', { change: { proof: { claims: { ekm: 'x' } } } }, ['proof.claims.ekm']],
  ['a header member', { change: { proof: { header: { typ: undefined } } } }, ['proof.header.typ']],
  ['no proof', { change: { proof: null } }, ['proof']],
  ['another signer', { change: { proof: { signature: (right) => right } } }, ['proof.signature']],
  ['another algorithm', { change: { proof: { algorithm: 'ES384' } } }, ['proof.header.alg']],
  ['no token', { change: { token: null } }, ['token', 'request.authorization']],
  ['another scope', { change: { token: { scope: 'x' } } }, ['token.claims.scope']],
  ['a field', { change: { fields: [['X-A', '1']] } }, ['request.field.x-a']],
  ['a method and a path', { change: { method: 'PUT', path: '/x' } }, ['request.method', 'request.target']],
  ['another certificate', { connect: { identity: null } }, ['connection.certificate']],
  ['a body', { change: { body: '' } }, ['request.body']],
  ['another authority', { change: { authority: 'x' } }, ['request.authority']],
  ['another version', { change: { version: 'HTTP/1.0' } }, ['request.version']],
  ['a trailer', { change: { trailers: [['X-T', '1']] } }, ['request.trailer.x-t']],
  [
    'a field twice',
    {
      change: {
        fields: [
          ['X-A', '1'],
          ['x-a', '2'],
        ],
      },
    },
    ['request.field.x-a'],
  ],
  ['a token elsewhere', { change: { authorization: () => [] } }, ['request.authorization']],
  ['a proof elsewhere', { change: { carriage: () => [] } }, ['proof']],
  ['a proof as text', { change: { proof: 'p' } }, ['proof']],
  ['two proofs', { change: { proof: ['p', 'q'] } }, ['proof']],
  ['a proof for another token', { change: { proof: { forToken: TOKEN } } }, ['proof.claims.ath']],
  ['a token hash worked out', { change: { proof: { ath: () => 'x' } } }, ['proof.claims.ath']],
  ['an exporter value worked out', { change: { proof: { ekm: () => 'x' } } }, ['proof.claims.ekm']],
  [
    'a proof for another connection',
    { change: { proof: { forConnection: CONNECTION } } },
    ['proof.claims.ekm'],
  ],
  [
    'a proof by another',
    { change: { proof: { by: IDENTITY } } },
    ['proof.header.x5t#S256', 'proof.signature'],
  ],
  ['a proof signed by another', { change: { proof: { signWith: IDENTITY } } }, ['proof.signature']],
  ['a header as text', { change: { proof: { headerText: (right) => right } } }, ['proof']],
  ['a payload as text', { change: { proof: { payloadText: (right) => right } } }, ['proof']],
  ['a whole proof as text', { change: { proof: { compact: (right) => right } } }, ['proof']],
  [
    'another algorithm under the right name',
    { change: { proof: { algorithm: 'ES384', header: { alg: 'ES256' } } } },
    ['proof.header.alg'],
  ],
  ['the right proof', { change: { proof: {} } }, []],
  ['the right token', { change: { token: {} } }, []],
  ['another right token', { change: { token: TOKEN } }, []],
  ['another’s token', { change: { token: { boundTo: null } } }, ['token.claims.cnf.x5t#S256']],
  ['an unbound token', { change: { token: { sessionBound: false } } }, ['token.claims.cnf.tls_exp']],
  ['another subject', { change: { token: { subject: 'x' } } }, ['token.claims.sub']],
  ['another lifetime', { change: { token: { lifetime: 1 } } }, ['token.claims.exp']],
  ['a token signed by another', { change: { token: { signWith: IDENTITY } } }, ['token.signature']],
  ['a token’s claim', { change: { token: { claims: { aud: 'x' } } } }, ['token.claims.aud']],
  ['a token’s header member', { change: { token: { header: { kid: 'x' } } } }, ['token.header.kid']],
  ['another TLS version', { connect: { tls: 'TLSv1.2' } }, ['connection.tls']],
  ['another HTTP version', { connect: { http: 'h2' } }, ['connection.http']],
  ['another server name', { connect: { servername: null } }, ['connection.servername']],
  ['a resumed session', { connect: { session: Buffer.alloc(1) } }, ['connection.resumed']],
  [
    'no extended master secret',
    { connect: { extendedMasterSecret: false } },
    ['connection.extendedMasterSecret'],
  ],
  ['what no description tells', { connect: { ciphers: 'A' } }, []],
  ['nothing', {}, []],
  ['what is said explicitly', { change: { proof: null }, differs: ['something'] }, ['something']],
])('%s declares what it touches', (_what, variation, expected) => {
  expect(declaredDifference({ what: 'w', ...variation })).toEqual(expected);
});

test('claims and header members of two tokens are combined, other members are replaced', () => {
  expect(
    combine(
      { token: { scope: 'a', claims: { x: 1, y: 1 }, header: { kid: 'k', typ: 't' } } },
      { token: { scope: 'b', claims: { y: 2 }, header: { kid: undefined } } },
    ),
  ).toEqual({
    token: { scope: 'b', claims: { x: 1, y: 2 }, header: { kid: undefined, typ: 't' } },
  });
  expect(combine({ token: { claims: { x: 1 } } }, { token: { header: { kid: 'k' } } })).toEqual({
    token: { claims: { x: 1 }, header: { kid: 'k' } },
  });
});

test('header members of two proofs are combined', () => {
  expect(
    combine({ proof: { header: { typ: 'a', x: 1 } } }, { proof: { header: { typ: 'b' }, claims: { y: 1 } } }),
  ).toEqual({ proof: { header: { typ: 'b', x: 1 }, claims: { y: 1 } } });
});

test('a token as it is, or none, takes the place of a planned one, and the other way round', () => {
  expect(combine({ token: { scope: 'a' } }, { token: TOKEN })).toEqual({ token: TOKEN });
  expect(combine({ token: { scope: 'a' } }, { token: null })).toEqual({ token: null });
  expect(combine({ token: TOKEN }, { token: { scope: 'a' } })).toEqual({ token: { scope: 'a' } });
  expect(combine({ token: null }, { token: { scope: 'a' } })).toEqual({ token: { scope: 'a' } });
  expect(combine({ token: { scope: 'a' } }, {})).toEqual({ token: { scope: 'a' } });
});

test('a planned proof takes the place of one given as text, of several and of none', () => {
  for (const proof of ['text', ['p', 'q'], null])
    expect(combine({ proof }, { proof: { claims: { a: 1 } } })).toEqual({ proof: { claims: { a: 1 } } });
  expect(combine({ proof: { claims: { a: 1 } } }, { proof: ['p', 'q'] })).toEqual({ proof: ['p', 'q'] });
});

test('two plans without fields have none together', () => {
  expect(combine({}, {})).toStrictEqual({});
  expect(combine({ fields: [['A', '1']] }, {})).toEqual({ fields: [['A', '1']] });
});

test('a token is told from a plan for one by its hash', () => {
  expect(isToken(TOKEN)).toBe(true);
  for (const other of [undefined, null, {}, { scope: 'x' }]) expect(isToken(other)).toBe(false);
});

test('plans without claims and header members have none together', () => {
  expect(combine({ token: { scope: 'a' } }, { token: { subject: 's' } })).toStrictEqual({
    token: { scope: 'a', subject: 's' },
  });
  expect(combine({ proof: { algorithm: 'ES256' } }, { proof: {} })).toStrictEqual({
    proof: { algorithm: 'ES256' },
  });
});
