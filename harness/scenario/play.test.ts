import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { readJwt } from '../forge/read.ts';
import type { Connection, ConnectOptions, WireFailure } from '../wire/connection.ts';
import { ConnectFailure } from '../wire/connection.ts';
import type { OpenSslConnection } from '../wire/openssl-client.ts';
import { CORE } from './permutation.ts';
import { Play } from './play.ts';
import { LITERAL } from './preparation.ts';
import { correct, failure, onPaper, PaperConnection, pki } from './target.fixture.ts';
import type { Setting } from './setting.ts';
import type { Paper } from './target.fixture.ts';

function playOn(paper: Paper = {}) {
  const { setting, opened } = onPaper(paper);
  return { play: new Play(setting, CORE, LITERAL), opened };
}

const credentials = { identity: pki.alice['P-384'], accessToken: 'the only token' };

test('a connection is alice’s, to the target, with the permutation’s transport and the target’s time', async () => {
  const { play } = playOn();
  const connection = await play.connect();
  expect(connection.id).toBe('c1');
  expect(connection.options).toEqual({
    host: '127.0.0.1',
    port: 8443,
    servername: 'rs.tsbt.test',
    serverAuthorities: null,
    tls: 'TLSv1.3',
    http: 'http/1.1',
    identity: pki.alice['P-256'],
    timeoutMs: 5000,
  });
  expect((await play.connect({ identity: pki.mallory })).options.identity).toBe(pki.mallory);
});

test.each([
  ['refused', 'environment'],
  ['tls-alert', 'target'],
] as const)('a needed connection that ends with %s is a matter of the %s', async (kind, attribution) => {
  const { play } = playOn({ bars: () => failure(kind, 'not in') });
  await expect(play.connect()).rejects.toMatchObject({
    name: 'Unjudgeable',
    verdict: 'inconclusive',
    attribution,
    message: 'a connection that the scenario needs was not established: not in',
  });
  expect(await play.tryConnect({})).toMatchObject({ kind, detail: 'not in' });
  expect(play.evidence.close().connections).toMatchObject([
    { id: 'c1', failure: 'not in' },
    { id: 'c2', failure: 'not in' },
  ]);
});

test('a fault of the harness while connecting is no answer of the target', async () => {
  const { play } = playOn({
    bars: () => {
      throw new Error('a bug');
    },
  });
  await expect(play.tryConnect({})).rejects.toThrow('a bug');
});

test('a session is resumed with the plan’s other wishes', async () => {
  const { play, opened } = playOn();
  const first = await play.connect();
  const second = await play.resume(first, { servername: 'other' });
  expect(second).toBe(opened[1]);
  expect(opened[1]?.options).toMatchObject({
    servername: 'other',
    session: Buffer.from('session of c1'),
  });
});

test('without a session, a connection or its resumption, nothing was resumed', async () => {
  let barred = false;
  const { play, opened } = playOn({ bars: () => (barred ? failure('closed') : undefined) });
  const first = await play.connect();
  const waited: (number | undefined)[] = [];
  first.session = async (timeoutMs) => void waited.push(timeoutMs);
  expect(await play.resume(first)).toBeUndefined();
  expect(waited).toEqual([200]);
  expect(opened).toHaveLength(1);

  barred = true;
  first.session = async () => Buffer.from('session');
  expect(await play.resume(first)).toBeUndefined();

  const { setting } = onPaper();
  // A target that gives out sessions, and begins a new one all the same.
  const open: Setting['open'] = async (options, id) => {
    const fresh = new PaperConnection(options, id, correct);
    return Object.assign(fresh, { facts: { ...fresh.facts, resumed: false } });
  };
  const forgetful = new Play({ ...setting, open }, CORE, LITERAL);
  expect(await forgetful.resume(await forgetful.connect())).toBeUndefined();
});

test('an alert in answer to an offered session is noted, since it is not that the target merely begins anew', async () => {
  const alert: WireFailure = { ...failure('tls-alert'), alert: 'internal_error' };
  const { play } = playOn({ bars: ({ session }) => (session === undefined ? undefined : alert) });
  expect(await play.resume(await play.connect())).toBeUndefined();
  expect(play.evidence.close().notes).toEqual([
    expect.stringMatching(
      /^the target answers an offered TLS session with an alert, internal_error, .*session-id context/,
    ),
  ]);
});

test('where there is no low-level client, what needs it cannot be measured here', async () => {
  const { play } = playOn();
  await expect(play.connectLowLevel()).rejects.toMatchObject({
    verdict: 'inconclusive',
    attribution: 'environment',
    message: "this needs a TLS client below Node's API, and there is none here: all is on paper",
  });
});

/** A low-level client that opens connections on paper; as far as a play is concerned they are like any other. */
function lowLevel(connect: (options: ConnectOptions, id: string) => Connection): Partial<Setting> {
  return {
    lowLevel: async () => ({
      connect: async (options, id = '') => connect(options, id) as OpenSslConnection,
    }),
  };
}

test('a low-level connection speaks HTTP/1.1, whatever the permutation, and is closed with the others', async () => {
  const { setting } = onPaper({
    setting: lowLevel((options, id) => new PaperConnection(options, id, correct)),
  });
  const play = new Play(setting, { ...CORE, http: 'h2' }, LITERAL);
  await play.connect();
  const low: Connection = await play.connectLowLevel({ postHandshakeAuth: true });
  expect(low).toMatchObject({
    id: 'c2',
    options: { host: '127.0.0.1', http: 'http/1.1', identity: pki.alice['P-256'], postHandshakeAuth: true },
  });
  await play[Symbol.asyncDispose]();
  expect(low.open).toBe(false);
  expect(play.evidence.close().connections.map(({ id }) => id)).toEqual(['c1', 'c2']);
});

test('a low-level connection that the target does not let happen is evidence, a bug is none', async () => {
  const barred = playOn({
    setting: lowLevel(() => {
      throw new ConnectFailure(failure('closed', 'not in'));
    }),
  });
  await expect(barred.play.connectLowLevel()).rejects.toThrow(ConnectFailure);
  expect(barred.play.evidence.close().connections).toMatchObject([{ id: 'c1', failure: 'not in' }]);

  const buggy = playOn({
    setting: lowLevel(() => {
      throw new TypeError('a bug');
    }),
  });
  await expect(buggy.play.connectLowLevel()).rejects.toThrow('a bug');
  expect(buggy.play.evidence.close().connections).toEqual([]);
});

test('a target can end a used connection: the request is sent once more, on a new one', async () => {
  let closing = false;
  const { play, opened } = playOn({
    answer: (seen) => {
      if (!closing || seen.connection.id !== 'c1') return correct(seen);
      seen.connection.open = false;
      return failure('closed');
    },
  });
  expect((await play.send('one')).connection.id).toBe('c1');
  closing = true;
  const second = await play.send('two', { path: '/x' }, {}, 'variant', 'served');
  expect(second.served).toBe(true);
  expect(second.connection.id).toBe('c2');
  expect(opened.map(({ requests }) => requests.length)).toEqual([2, 1]);
  expect(
    play.evidence
      .close()
      .exchanges.map(({ what, part, expected, request }) => [what, part, expected, request.target]),
  ).toEqual([
    ['one', 'request', 'recorded', '/resource'],
    ['two', 'variant', 'served', '/x'],
    ['two', 'variant', 'served', '/x'],
  ]);
});

test('what a new or a given connection answers counts at once, and so does any answer that is one', async () => {
  const { play, opened } = playOn({ answer: () => failure('closed') });
  expect((await play.send('on a new one')).reading.kind).toBe('cut');
  expect(opened[0]?.requests).toHaveLength(1);
  const on = await play.connect();
  expect((await play.send('on this one', {}, { on })).reading.kind).toBe('cut');
  expect(opened[1]?.requests).toHaveLength(1);

  const silent = playOn({ answer: () => failure('timeout') });
  await silent.play.send('one');
  await silent.play.send('two');
  expect(silent.opened.map(({ requests }) => requests.length)).toEqual([2]);
});

test('nothing can be sent on a connection that has ended', async () => {
  const { play } = playOn();
  const on = await play.connect();
  await on.close();
  await expect(play.send('it', {}, { on })).rejects.toMatchObject({
    verdict: 'not-applicable',
    attribution: 'target',
    message: 'the target ended connection c1, and this requirement is about a connection that goes on',
  });
});

test('an exchange tells what was sent and what came of it', async () => {
  const patience: (number | undefined)[] = [];
  const { play } = playOn({
    answer: (seen, timeoutMs) => {
      patience.push(timeoutMs);
      return correct(seen);
    },
    setting: { patienceMs: 1234 },
  });
  const exchange = await play.send('the right request');
  expect(exchange).toMatchObject({ id: 1, served: true, reading: { kind: 'served', text: '200' } });
  expect(exchange.token?.subject).toBe('alice');
  expect(exchange.proofs).toHaveLength(1);
  expect(exchange.description.get('proof.claims.ekm')).toBe("this connection's exporter value");
  expect(exchange.description).toBe(exchange.description);
  expect(patience).toEqual([1234]);
});

test('connections of one kind are opened once, another kind has its own', async () => {
  const { play, opened } = playOn();
  const way = (name: string) => ({ connect: { identity: { ...pki.mallory, name } } });
  await play.send('one');
  await play.send('two');
  await play.send('three', {}, way('mallory'));
  await play.send('four', {}, way('the same certificate under another name'));
  await play.send('five', {}, { connect: { identity: pki.alice['P-384'] } });
  await play.send('six', {}, { connect: { identity: null } });
  await play.send('seven', {}, { connect: { ciphers: 'A' } });
  expect(opened.map(({ requests }) => requests.length)).toEqual([2, 2, 1, 1, 1]);
});

test('with one token only, every request has a connection of its own', async () => {
  const { play, opened } = playOn({ setting: { credentials } });
  await play.send('one');
  await play.send('two');
  expect(opened).toHaveLength(2);
  expect(opened[0]?.options.identity).toBe(credentials.identity);
});

test('a connection that fails while a request is on its way to it is told as such', async () => {
  const { play } = playOn({ bars: () => failure('tls-alert', 'bad certificate') });
  await expect(play.send('it')).rejects.toThrow(ConnectFailure);
  await expect(play.send('it')).rejects.toThrow('bad certificate');
});

test('every connection is closed in the end, adopted ones too', async () => {
  const { play, opened } = playOn();
  await play.send('it');
  const guest = play.adopt(new PaperConnection((await play.connect()).options, 'guest', correct));
  await play[Symbol.asyncDispose]();
  expect(play.nextConnectionId()).toBe('c3');
  expect([...opened, guest].map(({ disposed }) => disposed)).toEqual([true, true, true]);
  expect(play.evidence.close().connections.map(({ id }) => id)).toEqual(['c1', 'c2', 'guest']);
});

test('a proof is made for a token on a connection, right unless told otherwise', async () => {
  const { play } = playOn();
  const [connection, token] = [await play.connect(), await play.mint()];
  expect(readJwt(play.proof(connection, token)).claims).toEqual({
    ath: token.sha256,
    ekm: connection.exporter().toString('base64url'),
    iat: expect.any(Number),
  });
  expect(readJwt(play.proof(connection, token, { claims: { ekm: 'x' } })).claims).toMatchObject({ ekm: 'x' });
});

test('only an intermediary has servers behind it', () => {
  expect(() => playOn().play.behind).toThrow(
    expect.objectContaining({ attribution: 'harness', message: 'the target is no intermediary' }),
  );
});

test('per-request claims are for a GET of the protected path unless told otherwise', () => {
  const { play } = playOn();
  expect(play.perRequest()).toMatchObject({ htm: 'GET', htu: 'https://rs.tsbt.test:8443/resource' });
  expect(play.perRequest('PUT', '/x')).toMatchObject({ htm: 'PUT', htu: 'https://rs.tsbt.test:8443/x' });
});

test('who plays, and how much', () => {
  const { play } = playOn();
  expect(play.alice).toBe(pki.alice['P-256']);
  expect(play.mallory).toBe(pki.mallory);
  expect(play.full).toBe(false);
  expect(playOn({ setting: { profile: 'full' } }).play.full).toBe(true);
});

test('a target that trusts one client only has no attacker to be tried with', () => {
  const { play } = playOn({ setting: { credentials } });
  expect(play.alice).toBe(credentials.identity);
  expect(() => play.mallory).toThrow(
    'it needs an attacker whose certificate the target trusts, and the target trusts only the client that it was given with',
  );
});

test('time passes until an instant, never for more than five seconds', async () => {
  const pause = vi.spyOn(timers, 'setTimeout').mockResolvedValue(undefined);
  syncBuiltinESMExports();
  try {
    const { play } = playOn();
    const now = Date.now();
    await play.until(now + 1000);
    await play.until(now - 1000);
    await play.until(now + 60_000);
    const [soon, past, far] = pause.mock.calls.map(([milliseconds]) => milliseconds);
    expect(soon).toBeGreaterThan(900);
    expect(soon).toBeLessThanOrEqual(1000);
    expect([past, far]).toEqual([0, 5000]);
  } finally {
    pause.mockRestore();
    syncBuiltinESMExports();
  }
});

test('a scenario ends itself with a reason', () => {
  const { play } = playOn();
  expect(() => play.notApplicable('not here')).toThrow(
    expect.objectContaining({ verdict: 'not-applicable', attribution: 'target', message: 'not here' }),
  );
  expect(() => play.inconclusive('not now')).toThrow(
    expect.objectContaining({ verdict: 'inconclusive', attribution: 'environment', message: 'not now' }),
  );
  expect(() => play.inconclusive('a bug', 'harness')).toThrow(
    expect.objectContaining({ attribution: 'harness' }),
  );
});

test('a remark stands in the evidence', () => {
  const { play } = playOn();
  play.note('by the way');
  expect(play.evidence.close().notes).toEqual(['by the way']);
});

test('light effort keeps no exchanges', async () => {
  const { play } = playOn({ setting: { effort: 'light' } });
  await play.send('it');
  expect(play.evidence.close().exchanges).toEqual([]);
});
