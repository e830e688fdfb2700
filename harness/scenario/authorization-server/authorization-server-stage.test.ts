import { expect, test } from 'vitest';
import { ConnectFailure } from '../../wire/connection.ts';
import type { Outcome } from '../../wire/connection.ts';
import { CORE } from '../permutation.ts';
import type { Permutation } from '../record.ts';
import { failure, pki, response } from '../target.fixture.ts';
import {
  authorizationServerStageOn,
  BOUND_TOKEN,
  json,
  METADATA,
  refusal,
  registry,
} from './authorization-server-target.fixture.ts';
import { CLIENTS } from './registered-clients.ts';

const stageOn = authorizationServerStageOn;
const issued = { compact: BOUND_TOKEN, header: null, claims: null };

test('a stage tells what the target claims, and who the clients are', () => {
  const { stage } = stageOn({ target: { capabilities: new Set(['introspection']) } });
  expect([stage.claims('introspection'), stage.claims('registration')]).toEqual([true, false]);
  expect(stage.full).toBe(false);
  expect(stageOn({ setting: { profile: 'full' } }).stage.full).toBe(true);
  expect(stage.registry).toBe(registry);
  expect(stage.identities).toBe(registry.identities);
});

test('the metadata is asked for once, at its well-known place', async () => {
  const { stage, opened, metadataAsked } = stageOn();
  expect(await stage.metadata()).toEqual(METADATA);
  await stage.metadata();
  expect(metadataAsked()).toBe(1);
  expect(opened[0]?.requests).toMatchObject([{ method: 'GET', fields: [['Accept', 'application/json']] }]);
  expect(opened[0]?.requests[0]).not.toHaveProperty('body');
  expect(stage.evidence.close().exchanges).toMatchObject([{ what: 'the metadata', part: 'request' }]);
});

test.each<[string, Outcome, string]>([
  ['is not there', refusal('not_found', 404), '404 not_found'],
  ['is not given', failure('timeout'), 'timeout'],
  ['is an error with members', json(201, METADATA), '201'],
])('where the metadata %s, nothing can be judged', async (_what, outcome, text) => {
  const { stage } = stageOn({ metadata: () => outcome });
  await expect(stage.endpoint('token_endpoint')).rejects.toMatchObject({
    verdict: 'inconclusive',
    attribution: 'target',
    message: `there is no metadata at /.well-known/oauth-authorization-server (${text}); see RFC 8414 §3`,
  });
});

test('an endpoint is what the metadata says, with its query, and for mutual TLS where there are two', async () => {
  const { stage } = stageOn({
    metadata: {
      token_endpoint: 'https://as.tsbt.test/token',
      introspection_endpoint: 'https://as.tsbt.test/introspect?tenant=1',
      mtls_endpoint_aliases: {
        revocation_endpoint: 'https://mtls.tsbt.test/revoke',
        token_endpoint: 'https://mtls.tsbt.test/mtls/token',
      },
    },
  });
  expect(await stage.endpoint('token_endpoint')).toBe('/mtls/token');
  expect(await stage.endpoint('introspection_endpoint')).toBe('/introspect?tenant=1');
});

test('a path stays as it is, and no metadata is asked for', async () => {
  const { stage, metadataAsked } = stageOn();
  expect(await stage.endpoint('/without-mutual-tls')).toBe('/without-mutual-tls');
  expect(metadataAsked()).toBe(0);
});

test.each([
  ['is not there', {}],
  ['is no URL', { token_endpoint: '/token' }],
  ['is no text', { token_endpoint: ['https://as.tsbt.test/token'] }],
])('where an endpoint %s, nothing can be judged', async (_what, metadata) => {
  const { stage } = stageOn({ metadata });
  await expect(stage.requestToken('a token')).rejects.toMatchObject({
    verdict: 'inconclusive',
    attribution: 'target',
    message: 'the metadata has no token_endpoint; see RFC 8414 §2',
  });
});

test('a request goes out as it is given, with the length of its body, and asks for JSON', async () => {
  const { stage, asked } = stageOn();
  await stage.send('it', 'PUT', '/client?id=1', { fields: [['X-Mine', 'a']], body: 'ü' });
  expect(asked[0]?.request).toEqual({
    method: 'PUT',
    target: '/client?id=1',
    authority: 'as.tsbt.test:8443',
    fields: [
      ['Accept', 'application/json'],
      ['X-Mine', 'a'],
      ['Content-Length', '2'],
    ],
    body: Buffer.from('ü'),
  });
  expect(asked[0]?.timeoutMs).toBe(5000);
});

test('what a request asks for itself is not overridden, and what has no body has no length', async () => {
  const { stage, asked } = stageOn();
  const fields = [
    ['X-Mine', 'a'],
    ['Accept', 'application/jwt'],
  ] as const;
  await stage.send('it', 'GET', '/client', { fields });
  expect(asked[0]?.request.fields).toEqual(fields);
});

test('a form gives each of several values, keeps what is empty and leaves out what is not there', async () => {
  const { stage, asked } = stageOn();
  const form = { resource: ['https://a.test', 'https://b.test'], scope: '', client_id: undefined };
  await stage.post('it', 'token_endpoint', form, { fields: [['DPoP', 'x']] });
  expect(asked[0]).toMatchObject({ path: '/token', request: { method: 'POST' } });
  expect(asked[0]?.body).toBe('resource=https%3A%2F%2Fa.test&resource=https%3A%2F%2Fb.test&scope=');
  expect(asked[0]?.request.fields).toEqual([
    ['Accept', 'application/json'],
    ['Content-Type', 'application/x-www-form-urlencoded'],
    ['DPoP', 'x'],
    ['Content-Length', String(asked[0]?.body.length)],
  ]);
  await stage.post('it', 'token_endpoint', {});
  expect(asked[1]?.request.fields).toEqual([
    ['Accept', 'application/json'],
    ['Content-Type', 'application/x-www-form-urlencoded'],
    ['Content-Length', '0'],
  ]);
});

test('a token is asked for by client credentials, by the session-bound client unless told otherwise', async () => {
  const { stage, asked } = stageOn();
  await stage.requestToken('it');
  await stage.requestToken('it', { scope: 'a', grant_type: 'other' }, { by: null }, CLIENTS.plain);
  expect(asked.map(({ path, form }) => [path, form])).toEqual([
    [
      '/token',
      [
        ['grant_type', 'client_credentials'],
        ['client_id', CLIENTS.bound],
      ],
    ],
    [
      '/token',
      [
        ['grant_type', 'other'],
        ['client_id', CLIENTS.plain],
        ['scope', 'a'],
      ],
    ],
  ]);
  expect(asked.map(({ connection }) => connection.options.identity)).toEqual([
    registry.identities.alice,
    null,
  ]);
});

test('a token is exchanged as the access token that it is (RFC 8693 §2.1)', async () => {
  const { stage, asked } = stageOn();
  const form = { audience: registry.hop };
  await stage.requestExchange('it', issued, CLIENTS.mallory, form, { by: pki.mallory });
  expect(asked[0]?.path).toBe('/token');
  expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    client_id: CLIENTS.mallory,
    subject_token: BOUND_TOKEN,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: registry.hop,
  });
  expect(asked[0]?.connection.options.identity).toBe(pki.mallory);
  await stage.requestExchange('it', issued, CLIENTS.mallory);
  expect(asked[1]?.form).toHaveLength(4);
});

test('a token is introspected by its resource server, unless by another', async () => {
  const { stage, asked } = stageOn();
  const { alice, resource } = registry.identities;
  await stage.introspect('it', issued);
  await stage.introspect('it', issued, { by: alice }, 'another');
  expect(asked.map(({ path, form, connection }) => [path, form, connection.options.identity])).toEqual([
    [
      '/introspect',
      [
        ['token', BOUND_TOKEN],
        ['client_id', registry.audience],
      ],
      resource,
    ],
    [
      '/introspect',
      [
        ['token', BOUND_TOKEN],
        ['client_id', 'another'],
      ],
      alice,
    ],
  ]);
});

test('a client is registered with JSON', async () => {
  const { stage, asked } = stageOn({ answer: () => json(201, { client_id: 'new' }) });
  const metadata = { tls_session_bound_access_tokens: true };
  expect(await stage.register('it', metadata)).toMatchObject({ status: 201, json: { client_id: 'new' } });
  expect(asked[0]).toMatchObject({ path: '/register', body: JSON.stringify(metadata) });
  expect(asked[0]?.request.method).toBe('POST');
  expect(asked[0]?.request.fields).toContainEqual(['Content-Type', 'application/json']);
});

test('requests of a kind share a connection, others have their own', async () => {
  const { stage, opened } = stageOn();
  await stage.send('it', 'GET', '/1', {});
  await stage.send('it', 'GET', '/2', { by: registry.identities.alice });
  await stage.send('it', 'GET', '/3', { by: null });
  await stage.send('it', 'GET', '/4', { connect: { servername: 'other' } });
  const on = await stage.connect();
  await stage.send('it', 'GET', '/5', { on, by: null });
  expect(opened.map(({ requests }) => requests.map(({ target }) => target))).toEqual([
    ['/1', '/2'],
    ['/3'],
    ['/4'],
    ['/5'],
  ]);
  expect(opened[2]?.options).toMatchObject({
    servername: 'other',
    identity: registry.identities.alice,
  });
});

test('whatever the permutation’s key, alice has the certificate that is registered', async () => {
  const permutation: Permutation = { ...CORE, http: 'h2', key: 'P-384' };
  const { stage, opened } = stageOn({}, 'fail', permutation);
  expect(stage.permutation).toBe(permutation);
  await stage.requestToken('it');
  await stage.connect();
  expect(opened.map(({ options }) => [options.http, options.identity])).toEqual([
    ['h2', registry.identities.alice],
    ['h2', registry.identities.alice],
  ]);
});

/** Ends the first connection at its second request. */
function endsItsFirst(outcome: Outcome, then: () => Outcome = () => json(200, {})) {
  return stageOn({
    answer: ({ connection, path }) => {
      if (path === '/first') return json(200, {});
      if (connection.id !== 'c1') return then();
      connection.open = false;
      return outcome;
    },
  });
}

test.each(['closed', 'reset'] as const)(
  'where an idle connection was %s, the request is sent once more, on a new one',
  async (kind) => {
    const { stage, opened, asked } = endsItsFirst(failure(kind));
    await stage.send('one', 'GET', '/first', {});
    expect(await stage.send('two', 'GET', '/second', {})).toMatchObject({ status: 200 });
    expect(opened.map(({ requests }) => requests.map(({ target }) => target))).toEqual([
      ['/first', '/second'],
      ['/second'],
    ]);
    expect(asked.map(({ timeoutMs }) => timeoutMs)).toEqual([5000, 5000, 5000]);
    expect(stage.evidence.close().exchanges.map(({ connection }) => connection)).toEqual(['c1', 'c2']);
  },
);

test('a new connection that is ended too is the answer', async () => {
  const { stage, opened } = endsItsFirst(failure('closed'), () => failure('reset'));
  await stage.send('one', 'GET', '/first', {});
  expect(await stage.send('two', 'GET', '/second', {})).toMatchObject({ status: 0, text: 'reset' });
  expect(opened.map(({ requests }) => requests.length)).toEqual([2, 1]);
});

test.each(['timeout', 'garbage', 'stream-reset'] as const)(
  'a failure of another kind (%s) is the answer, on an idle connection too',
  async (kind) => {
    const { stage, opened } = endsItsFirst(failure(kind));
    await stage.send('one', 'GET', '/first', {});
    expect(await stage.send('two', 'GET', '/second', {})).toMatchObject({ status: 0, text: kind });
    expect(opened).toHaveLength(1);
  },
);

test('what the first request on a connection meets is the answer', async () => {
  const { stage, opened } = endsItsFirst(failure('closed'));
  expect(await stage.send('one', 'GET', '/second', {})).toMatchObject({ status: 0, text: 'closed' });
  expect(opened).toHaveLength(1);
});

test('a response on an idle connection is the answer, and so is the end of a given connection', async () => {
  const answering = endsItsFirst(response(418));
  await answering.stage.send('one', 'GET', '/first', {});
  expect(await answering.stage.send('two', 'GET', '/second', {})).toMatchObject({ status: 418 });
  expect(answering.opened).toHaveLength(1);

  const ending = endsItsFirst(failure('closed'));
  const on = await ending.stage.connect();
  await ending.stage.send('one', 'GET', '/first', { on });
  expect(await ending.stage.send('two', 'GET', '/second', { on })).toMatchObject({ text: 'closed' });
  expect(ending.opened).toHaveLength(1);
});

test('a connection that the target refuses is an answer, and its evidence is that of the connection', async () => {
  const { stage } = stageOn({ bars: () => failure('tls-alert', 'certificate required') });
  expect(await stage.send('it', 'GET', '/1', { by: null })).toMatchObject({
    id: 0,
    status: 0,
    json: {},
    text: 'tls-alert',
  });
  const { connections, exchanges } = stage.evidence.close();
  expect(connections).toMatchObject([{ id: 'c1', failure: 'certificate required' }]);
  expect(exchanges).toEqual([]);
});

test('a fault of the harness is no answer', async () => {
  const { stage } = stageOn({
    answer: () => {
      throw new Error('a bug');
    },
  });
  await expect(stage.send('it', 'GET', '/1', {})).rejects.toThrow('a bug');
});

test('a connection of its own is alice’s, unless told otherwise, and all are closed at the end', async () => {
  const { stage, opened } = stageOn();
  expect(await stage.connect()).toBe(opened[0]);
  await stage.connect({ identity: pki.mallory, servername: 'other' });
  expect(opened.map(({ options }) => [options.identity, options.servername])).toEqual([
    [registry.identities.alice, 'as.tsbt.test'],
    [pki.mallory, 'other'],
  ]);
  await stage.send('it', 'GET', '/1', {});
  await stage[Symbol.asyncDispose]();
  expect(opened.map(({ disposed }) => disposed)).toEqual([true, true, true]);
});

test.each([
  ['tls-alert', 'target'],
  ['refused', 'environment'],
] as const)(
  'without a connection that the scenario needs (%s), nothing can be judged',
  async (kind, attribution) => {
    const { stage } = stageOn({ bars: () => failure(kind, 'not in') });
    const refused = stage.connect();
    await expect(refused).rejects.not.toBeInstanceOf(ConnectFailure);
    await expect(refused).rejects.toMatchObject({
      verdict: 'inconclusive',
      attribution,
      message: 'a connection that the scenario needs was not established: not in',
    });
  },
);
