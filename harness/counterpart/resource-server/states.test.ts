import { expect, test } from 'vitest';
import { always, bodyOf, client, get, OK, started, TRANSPORTS } from './counterpart.fixture.ts';

const FIRST = 'hel';
const POST = { ...get, method: 'POST', body: Buffer.from('body') };

test.each(TRANSPORTS)('holds back the rest of a response ($tls, $http)', async (plan) => {
  const { promise: until, resolve: goOn } = Promise.withResolvers<void>();
  const { fields, status, body } = OK;
  const held = { kind: 'held', status, fields, body, first: FIRST.length, until } as const;
  const server = await started(plan, always(held));
  const connection = await client(server, plan);
  let isOver = false;
  const sending = connection.send(get).then((outcome) => {
    isOver = true;
    return outcome;
  });
  await server.awaitRequest(({ answer }) => answer === held, 2000);
  server.answerWith(always(OK));
  expect(isOver).toBe(false);
  goOn();
  expect(bodyOf(await sending)).toBe('200 hello');
  expect(bodyOf(await connection.send(get))).toBe('200 hello');
  expect(server.connections).toHaveLength(1);
});

test.each(TRANSPORTS)('answers before the body has arrived ($tls, $http)', async (plan) => {
  const server = await started(plan);
  const connection = await client(server, plan);
  server.answerEarly(({ method }) => (method === 'POST' ? { ...OK, status: 413 } : undefined));
  expect(bodyOf(await connection.send(POST))).toBe('413 hello');
  expect(bodyOf(await (await client(server, plan)).send(get))).toBe('200 hello');
  expect(server.requests[0]?.answer).toMatchObject({ status: 413 });
  expect(server.requests[1]?.complete).toBe(true);
  expect(server.faults).toEqual([]);
});

test('tells of a body as it arrives, and whether it is whole', async () => {
  const server = await started();
  const connection = await client(server);
  const fields = [['Content-Length', '10']] as const;
  const sending = connection.send({ ...POST, fields }, 2000);
  const begun = await server.awaitRequest(({ body }) => body.toString() === 'body', 2000);
  expect(begun?.complete).toBe(false);
  await connection.close();
  await sending;
  await begun?.connection.awaitEnd(2000);
  expect(begun?.connection.ending).toBeDefined();
  expect(begun?.complete).toBe(false);
});

test.each([
  ['alert', 'the alert internal_error'],
  ['end', 'ended the connection'],
  ['reset', 'reset the connection'],
] as const)('refuses a handshake with %s, for as long as the plan says', async (how, words) => {
  let left = 1;
  const server = await started({
    tls: 'TLSv1.3',
    http: 'http/1.1',
    refusesHandshake: () => (left-- > 0 ? how : undefined),
  });
  await expect(client(server)).rejects.toBeInstanceOf(Error);
  const reason: unknown = expect.stringContaining(words);
  expect(server.failedHandshakes).toEqual([{ reason }]);
  expect(bodyOf(await (await client(server)).send(get))).toBe('200 hello');
});

test.each([true, false])('sends 100 (Continue) to who expects it: %s', async (continues) => {
  const server = await started({ tls: 'TLSv1.3', http: 'http/1.1', continues });
  const connection = await client(server);
  const outcome = await connection.send({ ...POST, fields: [['Expect', '100-continue']] });
  expect(bodyOf(outcome)).toBe('200 hello');
  const interim = outcome.type === 'response' ? outcome.informational : [];
  expect(interim).toHaveLength(continues ? 1 : 0);
});

test('writes octets on a connection that stays, and enters what follows on it', async () => {
  const pieces = (): Buffer[] => [Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: tsbt\r\n\r\n')];
  const server = await started(undefined, always({ kind: 'octets', what: '101', pieces, stays: true }));
  const connection = await client(server);
  await connection.send(get, 200);
  expect(server.connections[0]?.open).toBe(true);
});

test.each(TRANSPORTS)('tells of the trailer section of a request ($tls, $http)', async (plan) => {
  const server = await started(plan);
  const connection = await client(server, plan);
  const trailers = [['x-checksum', 'tsbt']] as const;
  expect(bodyOf(await connection.send({ ...POST, trailers }))).toBe('200 hello');
  expect(server.requests[0]?.trailers).toEqual(trailers);
});
