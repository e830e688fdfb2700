import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseProof } from '../proof/parse.ts';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { type Bench, credentials, sessionBound, startBench } from '../test-bench/bench.ts';
import { openLine } from '../test-bench/line.ts';
import { MUTANTS, start as startMutant } from './mutants.ts';
import { start } from './target.ts';

let server: Bench;
let folder: string;
let endPoint: ReturnType<typeof createServer>;
const exchanges: URLSearchParams[] = [];
/** Who presented a certificate that is trusted, for each exchange. */
const authorized: boolean[] = [];
const atServer: HttpRequest[] = [];

beforeAll(async () => {
  server = await startBench({
    variant: {
      listener: (inner) => (request, response) => {
        atServer.push(request);
        inner(request, response);
      },
    },
  });
  const { pki } = server;
  folder = await mkdtemp(join(tmpdir(), 'hop-'));
  await writeFile(join(folder, 'b.crt'), pki.mallory.chain);
  await writeFile(join(folder, 'b.key'), pki.mallory.privateKey);
  const tls = { cert: pki.server.chain, key: pki.server.privateKey, ca: pki.trusted.certificate };
  endPoint = createServer({ ...tls, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const answer = async () => {
      authorized.push(request.socket instanceof TLSSocket && request.socket.authorized);
      exchanges.push(new URLSearchParams(await text(request)));
      const token = await server.mint({ sub: 'b for alice', cnf: sessionBound(pki.mallory) });
      response.end(JSON.stringify({ access_token: token, token_type: 'Bearer' }));
    };
    void answer();
  });
  endPoint.listen(0, '127.0.0.1');
  await once(endPoint, 'listening');
});
afterAll(async () => {
  endPoint.close().closeAllConnections();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  exchanges.length = 0;
  authorized.length = 0;
  atServer.length = 0;
});

/** What A gets from an intermediate, with its right proof or with none. */
async function ask(starting: typeof start, isProven: boolean) {
  const { port } = endPoint.address() as AddressInfo;
  const running = await starting({
    ...server.environment,
    TSBT_ROLE: 'intermediary',
    TSBT_UPSTREAM: `https://localhost:${server.port}`,
    TSBT_UPSTREAM_CERT_FILE: join(folder, 'b.crt'),
    TSBT_UPSTREAM_KEY_FILE: join(folder, 'b.key'),
    TSBT_TOKEN_ENDPOINT: `https://localhost:${port}/token`,
  });
  const { alice, trusted } = server.pki;
  const identity = alice['P-256'];
  try {
    await using line = await openLine({
      port: running.port,
      authority: trusted.certificate,
      identity,
      http: 'http/1.1',
    });
    const token = await server.mint();
    const fields = credentials(token, line, identity);
    const response = await line.send({
      fields: isProven ? fields : fields.slice(0, 1),
      method: 'POST',
      body: 'x',
    });
    return { ...response, token, inbound: fields[1]?.[1] };
  } finally {
    await running.close();
  }
}

const proofsAtServer = () => atServer.flatMap((request) => fieldValues(request, 'session-binding-proof'));

describe('the intermediate', () => {
  test('uses a token of its own, with a proof of its own, and forwards nothing of the inbound ones', async () => {
    const { status, body, token, inbound } = await ask(start, true);
    expect([status, JSON.parse(body)]).toEqual([200, expect.objectContaining({ sub: 'b for alice' })]);
    expect(exchanges.map((form) => form.get('subject_token'))).toEqual([token]);
    expect(authorized).toEqual([true]);
    expect(proofsAtServer()).toHaveLength(1);
    const thumbprint = server.pki.mallory.thumbprint;
    expect(parseProof(proofsAtServer()[0] ?? '')).toMatchObject({ header: { 'x5t#S256': thumbprint } });
    expect(JSON.stringify(atServer[0]?.rawHeaders)).not.toContain(token);
    expect(JSON.stringify(atServer[0]?.rawHeaders)).not.toContain(inbound);
  });

  test('uses no token whose proof is missing', async () => {
    expect(await ask(start, false)).toMatchObject({ status: 401 });
    expect([exchanges, atServer]).toEqual([[], []]);
  });
});

test.each(MUTANTS.map(({ id }) => id))('%s shows its mistake', async (variant) => {
  const starting: typeof start = (environment) => startMutant(environment, { variant });
  await ask(starting, false);
  const early = exchanges.length;
  const { inbound, token } = await ask(starting, true);
  const isForwarded = proofsAtServer().some((proof) => proof.includes(inbound ?? ''));
  const isMalformed = exchanges.some(
    (form) => form.get('subject_token') !== token || !form.has('subject_token_type'),
  );
  expect([early > 0, isForwarded, isMalformed, authorized.includes(false)]).toContain(true);
});
