import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { start as startShim } from '../client-shim/target.ts';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { connectionKeyOf } from '../resource-server/connection.ts';
import { answer, type RequestListener } from '../resource-server/protect.ts';
import { type Bench, sessionBound, startBench } from '../test-bench/bench.ts';
import { startSidecar } from './sidecar.fixture.ts';
import { start } from './target.ts';

/** What the server saw, and how it answers instead of serving. */
const seen = { requests: [] as HttpRequest[], connections: new Set<object>() };
let instead: RequestListener | undefined;
let bench: Bench;

const watch =
  (inner: RequestListener): RequestListener =>
  (request, response) => {
    seen.requests.push(request);
    const key = connectionKeyOf(request);
    if (key !== undefined) seen.connections.add(key);
    (instead ?? inner)(request, response);
  };

beforeAll(async () => {
  bench = await startBench({ variant: { listener: watch } });
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => {
  Object.assign(seen, { requests: [], connections: new Set() });
  instead = undefined;
});

const bearer = (token: string) => ['Authorization', `Bearer ${token}`];
const proofsIn = (request: HttpRequest | undefined) =>
  request === undefined ? [] : fieldValues(request, 'session-binding-proof');

describe.each([
  ['sidecar', start],
  ['shim', startShim],
])('the %s', (_what, starting) => {
  test.each(['connection', 'request'])('proves tokens with claims of the %s', async (claims) => {
    await using sidecar = await startSidecar(bench, starting, {}, { TSBT_PROOF_CLAIMS: claims });
    const token = await bench.mint();
    for (const [method, body] of [['GET'], ['POST', 'a body'], ['PUT', 'x'.repeat(100_000)], ['GET']]) {
      const request = { method: method ?? '', fields: bearer(token), path: '/resource/a%2Fb?x=1&y' };
      const response = await sidecar.send(body === undefined ? request : { ...request, body });
      expect(response).toMatchObject({ status: 200, body: expect.stringContaining('alice') });
    }
    const proofs = seen.requests.flatMap(proofsIn);
    expect([proofs.length, new Set(proofs).size]).toEqual([4, claims === 'request' ? 4 : 1]);
    expect(seen.requests.map(({ url }) => url)).toEqual(Array(4).fill('/resource/a%2Fb?x=1&y'));
    expect(seen.connections.size).toBe(1);
  });

  test('puts its own proof in the place of an agent’s, and passes nothing of the kind on', async () => {
    await using sidecar = await startSidecar(bench, starting);
    const forged = [
      'Session-Binding-Proof',
      'SESSION-binding-proof',
      'session_binding_proof',
      'TLS-Exporter',
    ];
    const told = ['Client-Cert', 'Client_Cert_Chain', 'X-Forwarded-Client-Cert'];
    const fields = [...forged, ...told].flatMap((name) => [name, 'forged']);
    const response = await sidecar.send({ fields: [...fields, ...bearer(await bench.mint())] });
    expect(response.status).toBe(200);
    expect(JSON.stringify(seen.requests[0]?.rawHeaders)).not.toContain('forged');
    expect(proofsIn(seen.requests[0])).toHaveLength(1);
  });

  test('sends other credentials on as they are, and leaves hop-by-hop fields out', async () => {
    await using sidecar = await startSidecar(bench, starting);
    const hops = ['Connection', 'keep-alive, X-Mine, Authorization', 'X-Mine', '1', 'TE', 'trailers'];
    await sidecar.send({ fields: ['Authorization', 'Basic YTpi', ...hops] });
    await sidecar.send({});
    const [basic, none] = seen.requests.map(({ headers }) => headers);
    expect([basic?.['authorization'], none?.['authorization']]).toEqual(['Basic YTpi', undefined]);
    expect(seen.requests.flatMap(proofsIn)).toEqual([]);
    expect(basic).not.toHaveProperty('x-mine');
    expect(basic).not.toHaveProperty('te');
  });

  test('refuses to be a forward proxy, or a tunnel', async () => {
    await using sidecar = await startSidecar(bench, starting);
    const fields = bearer(await bench.mint());
    expect(await sidecar.send({ fields, path: 'https://other.example/resource' })).toMatchObject({
      status: 421,
    });
    expect(seen.requests).toEqual([]);
    const own = await sidecar.send({ fields, path: `https://localhost:${bench.port}/resource` });
    expect([own.status, seen.requests[0]?.url]).toEqual([200, '/resource']);
  });

  test('takes a renewed certificate for new connections, and keeps the old ones as they are', async () => {
    await using sidecar = await startSidecar(bench, starting);
    const { mallory } = bench.pki;
    const [token, other] = [await bench.mint(), await bench.mint()];
    expect(await sidecar.send({ fields: bearer(token) })).toMatchObject({ status: 200 });
    await sidecar.rotate(mallory);
    await sidecar.target.reload();
    const bound = await bench.mint({ cnf: sessionBound(mallory) });
    expect(await sidecar.send({ fields: bearer(bound) })).toMatchObject({ status: 200 });
    expect(seen.connections.size).toBe(2);
    for (const each of [token, other]) {
      expect(await sidecar.send({ fields: bearer(each) })).toMatchObject({ status: 200 });
    }
    expect(seen.connections.size).toBe(2);
  });

  test('answers an error of its own where the server is gone, with nothing of the request in it', async () => {
    const elsewhere = { TSBT_UPSTREAM: 'https://localhost:1' };
    await using sidecar = await startSidecar(bench, starting, {}, elsewhere);
    const response = await sidecar.send({ fields: bearer('T.o.k') });
    expect(response.status).toBe(502);
    expect(JSON.stringify(response)).not.toMatch(/T\.o\.k|Session-Binding-Proof/i);
  });
});

describe('the sidecar', () => {
  test('answers a refused PUT with a body as the server did, and a GET after one retry', async () => {
    await using sidecar = await startSidecar(bench, start);
    instead = (_request, response) =>
      answer(response, 401, 'no', { 'WWW-Authenticate': 'Bearer error="invalid_proof"' });
    const fields = bearer(await bench.mint());
    const put = await sidecar.send({ method: 'PUT', body: 'x'.repeat(1_000_000), fields });
    expect([put.status, put.headers['www-authenticate'], seen.requests.length]).toEqual([
      401,
      'Bearer error="invalid_proof"',
      1,
    ]);
    expect(await sidecar.send({ fields })).toMatchObject({ status: 401 });
    const proofs = seen.requests.flatMap(proofsIn);
    expect([proofs.length, new Set(proofs).size]).toEqual([3, 3]);
  });

  test('follows no redirection', async () => {
    await using sidecar = await startSidecar(bench, start);
    instead = (_request, response) => answer(response, 307, 'there', { Location: '/resource/x' });
    const response = await sidecar.send({ fields: bearer(await bench.mint()) });
    expect([response.status, response.headers.location, seen.requests.length]).toEqual([
      307,
      '/resource/x',
      1,
    ]);
  });

  test('relays several fields of one name, and trailers', async () => {
    await using sidecar = await startSidecar(bench, start, { variant: { client: { allowH2: false } } });
    instead = (_request, any) => {
      const response = any as ServerResponse;
      response.setHeader('Set-Cookie', ['a=1', 'b=2']);
      response.setHeader('Trailer', 'X-End');
      response.write('one');
      response.addTrailers({ 'X-End': 'reached' });
      response.end('two');
    };
    const response = await sidecar.send({});
    expect(response).toMatchObject({ body: 'onetwo', trailers: { 'x-end': 'reached' } });
    expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  test('cuts a response off where the server did', async () => {
    await using sidecar = await startSidecar(bench, start);
    instead = (request, any) => {
      const response = any as ServerResponse;
      response.writeHead(200, { 'Content-Length': '10' });
      response.write('one', () => request.socket.destroy());
    };
    await expect(sidecar.send({})).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('logs neither queries nor credentials', async () => {
    await using sidecar = await startSidecar(bench, start);
    const token = await bench.mint();
    await sidecar.send({ path: '/resource/logged?secret', fields: bearer(token) });
    await sidecar.send({ path: 'http://other.example/?secret', fields: bearer(token) });
    const log = sidecar.log.join('\n');
    expect(log).toMatch(/GET \/resource\/logged → 200 in \d+ ms/);
    expect(log).not.toMatch(new RegExp(`secret|${token}|${proofsIn(seen.requests[0])[0]}`));
  });

  test('keeps certificate and key where the renewed ones do not belong together', async () => {
    await using sidecar = await startSidecar(bench, start);
    const { mallory, alice } = bench.pki;
    await sidecar.rotate({ ...mallory, privateKey: alice['P-256'].privateKey });
    await expect(sidecar.target.reload()).rejects.toThrow('the key is not the certificate’s');
    expect(await sidecar.send({ fields: bearer(await bench.mint()) })).toMatchObject({ status: 200 });
  });
});
