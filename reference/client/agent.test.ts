import { createPrivateKey } from 'node:crypto';
import { constants } from 'node:http2';
import type { LookupFunction, Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { fetch, interceptors, request } from 'undici';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { answer, type RequestListener } from '../resource-server/protect.ts';
import { connectionKeyOf } from '../resource-server/connection.ts';
import { createServer, tlsOptionsFor, type TlsMaterial } from '../resource-server/server.ts';
import { parseProof } from '../proof/parse.ts';
import { type Bench, sessionBound, startBench } from '../test-bench/bench.ts';
import { SessionBoundAgent, type SessionBoundAgentOptions } from './agent.ts';

/** What the server saw, and how it misbehaves. */
const seen = {
  proofs: [] as string[],
  connections: new Set<object>(),
  perConnection: new WeakMap<object, number>(),
};
let misbehave: (request: HttpRequest, nth: number) => 'close' | 'refuse' | 'reset-stream' | undefined = () =>
  undefined;
let bench: Bench;

function watch(inner: RequestListener): RequestListener {
  return (request, response) => {
    const key = connectionKeyOf(request);
    if (key === undefined) return;
    const nth = (seen.perConnection.get(key) ?? 0) + 1;
    seen.perConnection.set(key, nth);
    seen.connections.add(key);
    seen.proofs.push(...fieldValues(request, 'session-binding-proof'));
    const fault = misbehave(request, nth);
    if (fault === 'refuse') {
      const challenge = 'DPoP algs="ES256", Bearer realm="x", error="invalid_proof"';
      answer(response, 401, 'refused', { 'WWW-Authenticate': challenge });
      return;
    }
    if (fault === 'reset-stream' && 'stream' in request) {
      request.stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    if (fault === 'close' && !('stream' in request)) response.setHeader('Connection', 'close');
    inner(request, response);
    if (fault === 'close' && 'stream' in request) request.stream.session?.close();
  };
}

beforeAll(async () => {
  bench = await startBench({ variant: { listener: watch } });
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => {
  Object.assign(seen, { proofs: [], connections: new Set() });
  misbehave = () => undefined;
});

function agentWith(options: Partial<SessionBoundAgentOptions> = {}): SessionBoundAgent {
  const alice = bench.pki.alice['P-256'];
  return new SessionBoundAgent({
    identity: { certificate: alice.chain, key: alice.privateKey },
    tls: { ca: bench.pki.trusted.certificate },
    ...options,
  });
}

async function call(
  agent: SessionBoundAgent,
  token: string,
  options: Partial<Parameters<typeof request>[1]> = {},
) {
  const url = `https://localhost:${bench.port}/resource?x=1`;
  const headers = { authorization: `Bearer ${token}` };
  const { statusCode, body } = await request(url, { dispatcher: agent, headers, ...options });
  await body.dump();
  return statusCode;
}

function times<T>(count: number, each: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, each));
}

const distinct = (values: readonly unknown[]) => new Set(values).size;

describe.each([
  ['HTTP/1.1', false],
  ['HTTP/2', true],
] as const)('over %s', (_what, allowH2) => {
  test('requests with one token share a connection and one signature', async () => {
    await using agent = agentWith({ allowH2 });
    const token = await bench.mint();
    for (let index = 0; index < 8; index += 1) expect(await call(agent, token)).toBe(200);
    expect([seen.proofs.length, distinct(seen.proofs), seen.connections.size]).toEqual([8, 1, 1]);
    expect(await call(agent, await bench.mint())).toBe(200);
    expect([distinct(seen.proofs), seen.connections.size]).toEqual([2, 1]);
  });

  test('many at once are all served, with one signature for each connection', async () => {
    await using agent = agentWith({ allowH2 });
    const token = await bench.mint();
    expect(await times(30, () => call(agent, token))).toEqual(Array(30).fill(200));
    expect(seen.proofs).toHaveLength(30);
    expect(distinct(seen.proofs)).toBe(seen.connections.size);
    expect(seen.connections.size).toBeLessThanOrEqual(allowH2 ? 1 : 4);
  });

  test('when connections keep ending, each proof still arrives on its own', async () => {
    // No more of them than a request may be moved times: one request can be under way on each.
    misbehave = (_request, nth) => (nth === 3 && seen.connections.size <= 5 ? 'close' : undefined);
    await using agent = agentWith({ allowH2, streams: 4 });
    const token = await bench.mint();
    expect(await times(30, () => call(agent, token))).toEqual(Array(30).fill(200));
    expect(seen.connections.size).toBeGreaterThan(1);
    expect(distinct(seen.proofs)).toBe(seen.connections.size);
  });

  test('with claims of the request each request has a proof of its own', async () => {
    await using agent = agentWith({ allowH2, proofs: { claims: 'request' } });
    const token = await bench.mint();
    expect(await times(10, () => call(agent, token))).toEqual(Array(10).fill(200));
    expect(distinct(seen.proofs)).toBe(10);
  });

  test('a refused proof is replaced once, on the same connection', async () => {
    let refusals = 1;
    misbehave = () => (refusals-- > 0 ? 'refuse' : undefined);
    await using agent = agentWith({ allowH2 });
    const token = await bench.mint();
    expect(await call(agent, token)).toBe(200);
    expect([seen.proofs.length, distinct(seen.proofs), seen.connections.size]).toEqual([2, 2, 1]);
    refusals = 99;
    expect(await call(agent, token)).toBe(401);
    expect(seen.proofs).toHaveLength(4);
  });

  test('a refused request that might have an effect is not sent again', async () => {
    misbehave = () => 'refuse';
    await using agent = agentWith({ allowH2 });
    expect(await call(agent, await bench.mint(), { method: 'POST', body: 'x' })).toBe(401);
    expect(seen.proofs).toHaveLength(1);
  });

  test('works with fetch and with interceptors', async () => {
    await using agent = agentWith({ allowH2 });
    const headers = { authorization: `Bearer ${await bench.mint()}` };
    const url = `https://localhost:${bench.port}/resource`;
    const options = { method: 'POST', body: 'x', headers, dispatcher: agent };
    expect((await fetch(url, options)).status).toBe(200);
    const dispatcher = agent.compose(interceptors.retry());
    const { statusCode, body } = await request(url, { headers, dispatcher });
    await body.dump();
    expect(statusCode).toBe(200);
  });
});

test('a stream that was refused is sent once more, with a proof of its own', async () => {
  let refusals = 1;
  misbehave = () => (refusals-- > 0 ? 'reset-stream' : undefined);
  await using agent = agentWith({ proofs: { claims: 'request' } });
  const token = await bench.mint();
  expect(await call(agent, token)).toBe(200);
  expect([seen.proofs.length, distinct(seen.proofs), seen.connections.size]).toEqual([2, 2, 1]);
  refusals = 99;
  await expect(call(agent, token)).rejects.toMatchObject({ code: 'stream-refused' });
  expect([seen.proofs.length, distinct(seen.proofs)]).toEqual([4, 4]);
});

test('the caller’s own proof is replaced, and requests without a bearer token get none', async () => {
  await using agent = agentWith();
  const token = await bench.mint();
  const headers = ['Authorization', `Bearer ${token}`, 'Session-Binding-Proof', 'mine', 'Host', 'other'];
  expect(await call(agent, token, { headers })).toBe(200);
  expect(seen.proofs).toHaveLength(1);
  expect(seen.proofs[0]).not.toBe('mine');
  expect(await call(agent, token, { headers: {} })).toBe(401);
  expect(seen.proofs).toHaveLength(1);
});

test('a renewed certificate is taken up by new connections only', async () => {
  const { alice, mallory } = bench.pki;
  let current = alice['P-256'];
  await using agent = agentWith({
    identity: () => ({ certificate: current.chain, key: current.privateKey }),
    connections: 1,
    allowH2: false,
  });
  const token = await bench.mint();
  expect(await call(agent, token)).toBe(200);
  current = mallory;
  misbehave = () => 'close';
  expect(await call(agent, token)).toBe(200);
  expect(await call(agent, token)).toBe(401);
});

test('refuses what would weaken the binding', async () => {
  const token = await bench.mint();
  await using agent = agentWith();
  const plain = request(`http://localhost:${bench.port}/`, { dispatcher: agent });
  await expect(plain).rejects.toMatchObject({ code: 'not-https' });
  await using trusting = agentWith({ tls: {} });
  await expect(call(trusting, token)).rejects.toMatchObject({ code: /^(?:SELF_SIGNED|UNABLE_TO)/ });
});

test('sends nothing on TLS 1.2 without extended master secret', async () => {
  await using careless = await startBench({ variant: { acceptsConnection: () => true } });
  const alice = careless.pki.alice['P-256'];
  await using agent = new SessionBoundAgent({
    identity: { certificate: alice.chain, key: alice.privateKey },
    tls: { ca: careless.pki.trusted.certificate, maxVersion: 'TLSv1.2', secureOptions: 1 },
  });
  const sent = request(`https://localhost:${careless.port}/resource`, { dispatcher: agent });
  await expect(sent).rejects.toMatchObject({ code: 'exporter-not-trusted' });
});

test('sends nothing where no client certificate was asked for', async () => {
  const tls = (material: TlsMaterial) => ({ ...tlsOptionsFor(material), requestCert: false });
  await using careless = await startBench({ variant: { tls } });
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    await using agent = agentWith({ tls: { ca: careless.pki.trusted.certificate, maxVersion } });
    const sent = request(`https://localhost:${careless.port}/resource`, { dispatcher: agent });
    await expect(sent).rejects.toMatchObject({ code: 'certificate-not-asked' });
  }
});

test('a connection that fails is the failure of those only that it was opened for', async () => {
  let reachable = false;
  let asked = 0;
  const later: Promise<number>[] = [];
  await using agent: SessionBoundAgent = agentWith({
    tls: {
      ca: bench.pki.trusted.certificate,
      lookup: (_name, _options, callback) => {
        asked += 1;
        if (reachable) return callback(null, [{ address: '127.0.0.1', family: 4 }]);
        later.push(call(agent, 'later'));
        reachable = true;
        callback(new Error('no such host'), []);
      },
    },
  });
  const outcomes = await Promise.allSettled(Array.from({ length: 3 }, () => call(agent, 'first')));
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(await Promise.all(later)).toEqual([401]);
  expect(asked).toBe(2);
});

test('where a further connection fails, the others go on', async () => {
  let asked = 0;
  await using agent = agentWith({
    allowH2: false,
    tls: {
      ca: bench.pki.trusted.certificate,
      lookup: (_name, _options, callback) => {
        asked += 1;
        if (asked === 1) callback(null, [{ address: '127.0.0.1', family: 4 }]);
        else callback(new Error('no such host'), []);
      },
    },
  });
  const token = await bench.mint();
  expect(await times(8, () => call(agent, token))).toEqual(Array(8).fill(200));
  expect(asked).toBeGreaterThan(1);
});

test('a token goes where the certificate is that it is bound to, as long as there is such a connection', async () => {
  const { alice, mallory } = bench.pki;
  let current = alice['P-256'];
  await using agent = agentWith({
    identity: () => ({ certificate: current.chain, key: current.privateKey }),
    allowH2: false,
  });
  const [used, opaque, unused] = [await bench.mint(), 'opaque', await bench.mint()];
  expect([await call(agent, used), await call(agent, opaque)]).toEqual([200, 401]);
  current = mallory;
  const renewed = await bench.mint({ cnf: sessionBound(mallory) });
  for (const token of [renewed, used, unused, renewed]) expect(await call(agent, token)).toBe(200);
  expect(seen.connections.size).toBe(2);
  const proofs = seen.proofs.map((proof) => parseProof(proof));
  expect(
    new Set(proofs.map((parsed) => ('header' in parsed ? parsed.header['x5t#S256'] : undefined))),
  ).toEqual(new Set([alice['P-256'].thumbprint, mallory.thumbprint]));
});

test('a connection that comes too late for what waited is not kept', async () => {
  const accepted: Socket[] = [];
  const server = (material: TlsMaterial, listener: RequestListener) =>
    createServer({ tls: tlsOptionsFor(material), listener }).on('connection', (socket: Socket) =>
      accepted.push(socket),
    );
  await using own = await startBench({ variant: { server } });
  const alice = own.pki.alice['P-256'];
  let held: (() => void)[] | undefined;
  const lookup: LookupFunction = (_name, _options, callback) => {
    const answer = () => callback(null, [{ address: '127.0.0.1', family: 4 }]);
    if (held === undefined) answer();
    else held.push(answer);
  };
  await using agent = new SessionBoundAgent({
    identity: { certificate: alice.chain, key: alice.privateKey },
    tls: { ca: own.pki.trusted.certificate, lookup },
    allowH2: false,
  });
  const url = `https://localhost:${own.port}/resource`;
  const headers = { authorization: `Bearer ${await own.mint()}` };
  const send = async () => (await request(url, { dispatcher: agent, headers })).body.text();
  await send();
  const late: (() => void)[] = [];
  held = late;
  await times(2, send);
  for (const answer of late) answer();
  await vi.waitFor(() => expect(accepted.map(({ destroyed }) => destroyed)).toEqual([false, true]));
});

test('an encrypted key is read with its passphrase, and one that cannot be read opens no connection', async () => {
  const alice = bench.pki.alice['P-256'];
  const key = createPrivateKey(alice.privateKey)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' })
    .toString();
  const identity = { certificate: alice.chain, key };
  await using agent = agentWith({ identity: { ...identity, passphrase: 'open' } });
  expect(await call(agent, await bench.mint())).toBe(200);
  await using locked = agentWith({ identity });
  await expect(call(locked, await bench.mint())).rejects.toThrow(/libcrypto|passphrase/);
});

test('a handler that throws at the end ends its request once', async () => {
  misbehave = () => 'close';
  const agent = agentWith({ allowH2: false });
  const { promise, resolve } = Promise.withResolvers<Error>();
  agent.dispatch(
    {
      origin: `https://localhost:${bench.port}`,
      path: '/resource',
      method: 'GET',
      headers: { authorization: `Bearer ${await bench.mint()}` },
    },
    {
      onResponseEnd: () => {
        throw new Error('thrown by the caller');
      },
      onResponseError: (_controller, error) => resolve(error),
    },
  );
  expect((await promise).message).toBe('thrown by the caller');
  let ended = false;
  const slow = call(agent, await bench.mint()).then((status) => ((ended = true), status));
  await agent.close();
  expect(ended).toBe(true);
  expect(await slow).toBe(200);
});

test('close lets requests finish and takes no more', async () => {
  const agent = agentWith();
  const token = await bench.mint();
  const underway = times(5, () => call(agent, token));
  await agent.close();
  expect(await underway).toEqual(Array(5).fill(200));
  await expect(call(agent, token)).rejects.toMatchObject({ code: 'closed' });
});

test('destroy fails what is waiting', async () => {
  const agent = agentWith();
  const waiting = call(agent, await bench.mint());
  const outcome = waiting.catch((error: Error) => error.message);
  await agent.destroy();
  expect(await outcome).toMatch(/destroyed/);
});
