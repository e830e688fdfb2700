import { createPublicKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { ath, readJwt } from '../forge/read.ts';
import { EvidenceBook } from './evidence.ts';
import { Maker } from './maker.ts';
import { CORE } from './permutation.ts';
import { LITERAL } from './preparation.ts';
import type { Preparation } from './preparation.ts';
import type { Permutation } from './record.ts';
import type { RequestPlan } from './request.ts';
import type { Setting } from './setting.ts';
import { correct, issuer, onPaper, PaperConnection, pki } from './target.fixture.ts';
import type { Paper } from './target.fixture.ts';

const TLS12: Permutation = { ...CORE, tls: 'TLSv1.2' };

function makerOn(paper: Paper = {}, permutation = CORE, preparation: Partial<Preparation> = {}) {
  const { setting } = onPaper(paper);
  const evidence = new EvidenceBook();
  return { maker: new Maker(setting, permutation, { ...LITERAL, ...preparation }, evidence), evidence };
}

function connection(id = 'c1', permutation = CORE, identity = pki.alice['P-256']): PaperConnection {
  const options = { host: 'h', port: 1, tls: permutation.tls, http: permutation.http, identity };
  return new PaperConnection(options, id, correct);
}

const credentials: Setting['credentials'] = { identity: pki.mallory, accessToken: 'the.only.token' };
const BEARER = ['Authorization', expect.stringMatching(/^Bearer ey/)];
const PROOF = ['Session-Binding-Proof', expect.stringMatching(/^ey/)];

async function made(plan: RequestPlan, paper: Paper = {}) {
  return (await makerOn(paper).maker.make(plan, connection())).request;
}

test('a token is a JWT bound to the rightful client, unless the plan says otherwise', async () => {
  const { maker } = makerOn({}, { ...CORE, key: 'P-384' });
  const [right, other] = [await maker.mint({}), await maker.mint({ boundTo: pki.mallory, subject: 'eve' })];
  expect(readJwt(right.compact).claims).toMatchObject({
    sub: 'alice',
    cnf: { 'x5t#S256': pki.alice['P-384'].thumbprint },
  });
  expect(readJwt(other.compact).claims).toMatchObject({
    sub: 'eve',
    cnf: { 'x5t#S256': pki.mallory.thumbprint },
  });
});

test('a minted token does not appear in evidence, nor one that was given', async () => {
  const { maker, evidence } = makerOn();
  const token = await maker.mint({});
  expect(evidence.redact(`x ${token.compact}`)).toMatch(/^x <token sha-256/);
  const given = { compact: 'given-from-elsewhere', sha256: 's', subject: '' };
  await maker.make({ token: given }, connection());
  expect(evidence.redact('x given-from-elsewhere')).toMatch(/^x <token sha-256/);
});

test('the one token of a target with credentials is taken as it is', async () => {
  const { maker, evidence } = makerOn({ setting: { credentials } });
  expect(await maker.mint({})).toEqual({
    compact: 'the.only.token',
    sha256: ath('the.only.token'),
    subject: '',
  });
  expect(evidence.redact('the.only.token')).toMatch(/^<token sha-256/);
  await expect(maker.mint({ scope: 'x' })).rejects.toMatchObject({
    verdict: 'not-applicable',
    attribution: 'environment',
    message:
      'it needs a token that the suite mints itself, and the target takes only the one that it was given with',
  });
});

test('an opaque token is registered with its claims, which are those of its description', async () => {
  const registered: unknown[] = [];
  const introspection = {
    register: async (...entry: unknown[]) => void registered.push(entry),
    requests: async () => 0,
  };
  const { maker, evidence } = makerOn({ setting: { introspection } });
  const token = await maker.mint({ opaque: true, scope: 'x' });
  expect(token.compact.split('.')).toHaveLength(2);
  const claims = expect.objectContaining({
    active: true,
    scope: 'x',
    cnf: expect.objectContaining({ 'x5t#S256': pki.alice['P-256'].thumbprint }),
  });
  expect(registered).toEqual([[token.compact, claims]]);
  expect(evidence.redact(token.compact)).toMatch(/^<token sha-256/);
  expect((await maker.make({ token }, connection())).sent.opaqueClaims).toEqual(claims);
  expect((await maker.make({}, connection())).sent).not.toHaveProperty('opaqueClaims');
});

test('without an introspection endpoint there are no opaque tokens', async () => {
  await expect(makerOn().maker.mint({ opaque: true })).rejects.toMatchObject({
    verdict: 'not-applicable',
    attribution: 'environment',
    message: 'there is no introspection endpoint that this target could ask',
  });
});

test('the right request has a token, a proof for it on the connection, and no more', async () => {
  const here = connection();
  const before = Math.floor(Date.now() / 1000);
  const { request, sent, token } = await makerOn().maker.make({}, here);
  expect(sent.now).toBeGreaterThanOrEqual(before);
  expect(sent.now).toBeLessThanOrEqual(Date.now() / 1000);
  expect(request).toStrictEqual({
    method: 'GET',
    target: '/resource',
    authority: 'rs.tsbt.test:8443',
    fields: [BEARER, PROOF],
  });
  expect(sent).toMatchObject({
    connection: here,
    request,
    defaultAuthority: 'rs.tsbt.test:8443',
    token: token?.compact,
    proofs: [request.fields[1]?.[1]],
  });
  expect(Number.isInteger(sent.now)).toBe(true);
  expect(readJwt(sent.proofs[0] ?? '').claims).toMatchObject({
    ath: ath(token?.compact ?? ''),
    ekm: here.exporter().toString('base64url'),
  });
});

test('port 443 goes without saying', async () => {
  const { maker } = makerOn({ target: { port: 443 } });
  expect((await maker.make({}, connection())).sent.defaultAuthority).toBe('rs.tsbt.test');
  expect(maker.perRequest('GET', '/x').htu).toBe('https://rs.tsbt.test/x');
});

test('a plan’s members stand in the request as they are', async () => {
  const plan: RequestPlan = {
    method: 'PUT',
    path: '/other?a=1',
    authority: 'other.test',
    fields: [['X-A', '1']],
    body: 'b\xe4',
    trailers: [['X-T', 't']],
    version: 'HTTP/1.0',
  };
  expect(await made(plan)).toEqual({
    method: 'PUT',
    target: '/other?a=1',
    authority: 'other.test',
    fields: [BEARER, PROOF, ['X-A', '1']],
    body: Buffer.from('b\xe4', 'latin1'),
    trailers: [['X-T', 't']],
    version: 'HTTP/1.0',
  });
});

test.each<[string, RequestPlan, readonly unknown[]]>([
  ['no token, and so no proof', { token: null }, []],
  ['no token, and a proof for another', { token: null, proof: { forToken: token('t') } }, [PROOF]],
  ['no token, and a proof as it is', { token: null, proof: 'p' }, [['Session-Binding-Proof', 'p']]],
  ['no proof', { proof: null }, [BEARER]],
  [
    'two proofs',
    { proof: ['p', 'q'] },
    [BEARER, ['Session-Binding-Proof', 'p'], ['Session-Binding-Proof', 'q']],
  ],
  ['a token as it is', { token: token('t'), proof: null }, [['Authorization', 'Bearer t']]],
  [
    'a token carried elsewhere',
    { token: token('t'), proof: null, authorization: (text) => [['X-Token', text]] },
    [['X-Token', 't']],
  ],
  ['a token carried nowhere', { proof: null, authorization: () => [] }, []],
  [
    'a proof carried elsewhere',
    { token: null, proof: 'p', carriage: (text) => [['DPoP', text]] },
    [['DPoP', 'p']],
  ],
])('%s', async (_what, plan, fields) => {
  expect((await made(plan)).fields).toEqual(fields);
});

function token(compact: string) {
  return { compact, sha256: ath(compact), subject: 'alice' };
}

test('a proof is made with the connection’s certificate, or as the plan says', () => {
  const { maker } = makerOn();
  const header = (plan: Parameters<Maker['proof']>[2], on = connection()) =>
    readJwt(maker.proof(on, token('t'), plan)).header;
  expect(header({})).toMatchObject({ alg: 'ES256', 'x5t#S256': pki.alice['P-256'].thumbprint });
  expect(header({}, connection('c1', CORE, pki.mallory))).toMatchObject({
    'x5t#S256': pki.mallory.thumbprint,
  });
  expect(header({ by: pki.alice.Ed25519 })).toMatchObject({
    alg: 'EdDSA',
    'x5t#S256': pki.alice.Ed25519.thumbprint,
  });
  const bare = new PaperConnection({ ...connection().options, identity: null }, 'c1', correct);
  expect(header({}, bare)).toMatchObject({ 'x5t#S256': pki.alice['P-256'].thumbprint });
});

test('a proof can be for another token or connection, or say something worked out', () => {
  const { maker } = makerOn();
  const [here, there] = [connection(), connection('c2')];
  const claims = (plan: Parameters<Maker['proof']>[2]) => readJwt(maker.proof(here, token('t'), plan)).claims;
  const right = { ath: ath('t'), ekm: here.exporter().toString('base64url') };
  expect(claims({ claims: { extra: 1 } })).toMatchObject({ ...right, extra: 1 });
  expect(claims({ forToken: token('u') })).toMatchObject({ ...right, ath: ath('u') });
  expect(claims({ forConnection: there })).toMatchObject({
    ...right,
    ekm: there.exporter().toString('base64url'),
  });
  expect(claims({ ekm: (on, { compact }) => `${on.id} ${compact}` })).toMatchObject({
    ...right,
    ekm: 'c1 t',
  });
  expect(claims({ ath: ({ compact }) => `hash of ${compact}` })).toMatchObject({
    ...right,
    ath: 'hash of t',
  });
});

test('the algorithm is the one that the target takes for this key type, unless the plan names one', () => {
  const rsa = connection('c1', CORE, pki.alice.RSA);
  const prepared = makerOn({}, { ...CORE, key: 'RSA' }, { algorithm: 'PS256' }).maker;
  const algorithm = (maker: Maker, plan: Parameters<Maker['proof']>[2] = {}, on = rsa) =>
    readJwt(maker.proof(on, token('t'), plan)).header;
  expect(algorithm(prepared)).toMatchObject({ alg: 'PS256' });
  expect(algorithm(prepared, { algorithm: 'RS512' })).toMatchObject({ alg: 'RS512' });
  expect(algorithm(prepared, {}, connection())).toMatchObject({ alg: 'ES256' });
  expect(algorithm(makerOn({}, { ...CORE, key: 'RSA' }).maker)).toMatchObject({ alg: 'RS256' });
});

test('the exporter value on TLS 1.2 has the form that the target takes; on 1.3 there is one', () => {
  const ekm = (on: PaperConnection, exporterForm: Preparation['exporterForm']) =>
    readJwt(makerOn({}, TLS12, { exporterForm }).maker.proof(on, token('t'), {})).claims;
  const on12 = connection('c1', TLS12);
  const [given, absent] = [on12.exporter(), on12.exporter({ context: null })];
  expect(given).not.toEqual(absent);
  expect(ekm(on12, 'zero-length')).toHaveProperty('ekm', given.toString('base64url'));
  expect(ekm(on12, 'absent')).toHaveProperty('ekm', absent.toString('base64url'));
  expect(ekm(connection(), 'absent')).toHaveProperty('ekm', connection().exporter().toString('base64url'));
});

test('htu is absolute or a path, as the target takes it, without query and fragment', () => {
  const htu = (form: Preparation['htu'], path: string) =>
    makerOn({}, CORE, { htu: form }).maker.perRequest('GET', path).htu;
  expect(htu('absolute', '/x?a=1')).toBe('https://rs.tsbt.test:8443/x');
  expect(htu('absolute', '/x#top')).toBe('https://rs.tsbt.test:8443/x');
  expect(htu('path', '/x?a=1')).toBe('/x');
});

test('every identity and exporter value of a scenario can be named', () => {
  const { maker } = makerOn({}, { ...CORE, key: 'P-384' });
  const stranger = { ...pki.mallory, name: 'stranger' };
  const c1 = connection('c1', TLS12, stranger);
  const c2 = new PaperConnection({ ...connection().options, identity: null }, 'c2', correct);
  const known = maker.known([c1, c2], new Set(['seen']));
  expect(known.keyType).toBe('P-384');
  expect(known.proofIdsSeen).toEqual(new Set(['seen']));
  expect(known.identities).toEqual([...Object.values(pki.alice), pki.mallory, pki.server, stranger]);
  expect(known.issuerKey.equals(createPublicKey(issuer.privateKey))).toBe(true);
  expect(known.exporterValues).toEqual(
    new Map([
      [c1.exporter().toString('base64url'), 'the exporter value of c1'],
      [
        c1.exporter({ context: null }).toString('base64url'),
        'the exporter value of c1 (form without context)',
      ],
      [c2.exporter().toString('base64url'), 'the exporter value of c2'],
    ]),
  );
});

test('an exporter value keeps its name after its connection has ended', () => {
  const { maker } = makerOn();
  const c1 = connection();
  const before = maker.known([c1], new Set()).exporterValues;
  c1.exporter = () => {
    throw new Error('it has ended');
  };
  expect(maker.known([c1], new Set()).exporterValues).toEqual(before);
});

test('what the suite has signed in the ordinary way is known to be; what it has tampered with is not', async () => {
  const { maker } = makerOn();
  const here = connection();
  const known = () => maker.known([here], new Set());

  const plain = await maker.mint({ claims: { sub: 'x' } });
  const confused = await maker.mint({ header: { alg: 'none' } });
  const foreign = await maker.mint({ signWith: pki.mallory });
  expect(known().issuedTokens).toEqual(new Set([plain.compact]));
  expect([confused, foreign].some(({ compact }) => compact === plain.compact)).toBe(false);

  const proof = maker.proof(here, plain, { claims: { ekm: 'x' }, header: { typ: 'x' } });
  const byOther = maker.proof(here, plain, { by: pki.mallory });
  expect(known().signers).toEqual(
    new Map([
      [proof, pki.alice['P-256']],
      [byOther, pki.mallory],
    ]),
  );
});

test.each([
  { header: { alg: 'ES384' } },
  { algorithm: 'ES384' },
  { signWith: pki.mallory },
  { headerText: (right: string) => ` ${right}` },
  { payloadText: (right: string) => ` ${right}` },
  { signature: () => Buffer.alloc(64) },
  { compact: (right: string) => `${right}.` },
])('a proof with %j is not taken for one signed in the ordinary way', (plan) => {
  const { maker } = makerOn();
  maker.proof(connection(), token('t'), plan);
  expect(maker.known([], new Set()).signers.size).toBe(0);
});

test('identifiers are remembered, and told when they come again', async () => {
  const { maker } = makerOn();
  const send = async (proof: RequestPlan['proof'] & {}) =>
    maker.remember(await maker.make({ proof }, connection()));
  expect(await send({ claims: { jti: 'one' } })).toEqual(new Set());
  expect(await send({ claims: { jti: 'two' } })).toEqual(new Set());
  expect(await send({ claims: { jti: 'one' } })).toEqual(new Set(['one']));
  expect(await send({ claims: {} })).toEqual(new Set());
  for (const text of ['not a proof', '', 'e30.bnVsbA.x', 'e30.MQ.x']) {
    expect(await send(text)).toEqual(new Set());
    expect(await send(text)).toEqual(new Set());
  }
  expect(await send({ claims: { jti: 7 } })).toEqual(new Set());
  expect(await send({ claims: { jti: 7 } })).toEqual(new Set());
});
