import { expect, test } from 'vitest';
import { CannotSend, type WireRequest } from './connection.ts';
import { encodeRequest, Http1 } from './http1.ts';
import type { ChannelEvents, OctetChannel } from './octet-channel.ts';

/** A channel without a network: what is written is kept, what is to be read is played in. */
class PlayedChannel implements OctetChannel {
  readonly ended = undefined;
  readonly written: Buffer[] = [];
  destroyed = false;
  events: ChannelEvents | undefined;
  write(octets: Uint8Array): void {
    this.written.push(Buffer.from(octets));
  }
  async close(): Promise<void> {
    this.destroyed = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
  listen(events: ChannelEvents): void {
    this.events = events;
  }
  play(text: string): void {
    this.events?.data(Buffer.from(text, 'latin1'));
  }
}

const get: WireRequest = { method: 'GET', target: '/a', fields: [] };

function started(): { channel: PlayedChannel; http: Http1 } {
  const channel = new PlayedChannel();
  return { channel, http: new Http1(channel, 'rs.test:8443') };
}

test('writes exactly the fields it is given, odd and duplicated ones too', () => {
  const request: WireRequest = {
    method: 'GET',
    target: '/a b',
    fields: [
      ['Session-Binding-Proof', 'a'],
      ['session-binding-proof', ' b\r\nX: y'],
      ['bad name', 'caf\xe9\0'],
    ],
  };
  expect(encodeRequest(request, 'h:1').toString('latin1')).toBe(
    'GET /a b HTTP/1.1\r\nHost: h:1\r\nSession-Binding-Proof: a\r\nsession-binding-proof:  b\r\nX: y\r\nbad name: caf\xe9\0\r\n\r\n',
  );
});

test('adds only what the framing needs', () => {
  const body = Buffer.from('hi');
  expect(encodeRequest({ ...get, method: 'POST', body }, 'h').toString()).toBe(
    'POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi',
  );
  expect(
    encodeRequest({ ...get, body, fields: [['content-length', '9']], version: 'HTTP/1.0' }, 'h').toString(),
  ).toBe('GET /a HTTP/1.0\r\nHost: h\r\ncontent-length: 9\r\n\r\nhi');
  expect(encodeRequest({ ...get, body, trailers: [['T', 'v']], authority: 'other' }, 'h').toString()).toBe(
    'GET /a HTTP/1.1\r\nHost: other\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nT: v\r\n\r\n',
  );
  expect(encodeRequest({ ...get, fields: [['HOST', 'own']] }, 'h').toString()).toBe(
    'GET /a HTTP/1.1\r\nHOST: own\r\n\r\n',
  );
});

test('refuses a character that is not an octet, instead of sending another one', () => {
  expect(() => encodeRequest({ ...get, fields: [['X', 'Ж']] }, 'h')).toThrowError(CannotSend);
});

test('answers pipelined requests in order, with the method of each', async () => {
  const { channel, http } = started();
  const outcomes = Promise.all([
    http.send({ ...get, method: 'HEAD' }, 1000),
    http.send(get, 1000),
    http.sendOctets(Buffer.from('HEAD / HTTP/1.1\r\n\r\n'), 1000),
  ]);
  expect(channel.written).toHaveLength(3);
  channel.play('HTTP/1.1 200 A\r\nContent-Length: 5\r\n\r\nHTTP/1.1 404 B\r\nContent-Le');
  channel.play('ngth: 1\r\n\r\nbHTTP/1.1 203 C\r\nContent-Length: 9\r\n\r\n');
  expect(await outcomes).toMatchObject([
    { status: 200 },
    { status: 404, body: Buffer.from('b') },
    { status: 203 },
  ]);
  expect(http.open).toBe(true);
});

test('reads two responses to octets that hold two requests', async () => {
  const { channel, http } = started();
  const both = Promise.all([
    http.sendOctets(Buffer.from('GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n'), 1000),
    http.sendOctets(Buffer.alloc(0), 1000),
  ]);
  channel.play('HTTP/1.1 204 A\r\n\r\nHTTP/1.1 304 B\r\n\r\n');
  expect(await both).toMatchObject([{ status: 204 }, { status: 304 }]);
  expect(channel.written).toHaveLength(1);
});

test('is not open after Connection: close, and sends nothing more', async () => {
  const { channel, http } = started();
  const first = http.send(get, 1000);
  channel.play('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  expect(await first).toMatchObject({ status: 200 });
  expect(http.open).toBe(false);
  expect(await http.send(get, 1000)).toMatchObject({ type: 'failure', kind: 'closed' });
  expect(channel.written).toHaveLength(1);
});

test.each([
  ['nothing', '', 'timeout'],
  ['half a response', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab', 'timeout'],
  ['garbage', '\x16\x03\x01\r\n', 'garbage'],
])('fails every waiting request when the first gets %s', async (_what, text, kind) => {
  const { channel, http } = started();
  const outcomes = Promise.all([http.send(get, 30), http.send(get, 1000)]);
  channel.play(text);
  expect(await outcomes).toMatchObject([
    { type: 'failure', kind },
    { type: 'failure', kind },
  ]);
  expect(channel.destroyed).toBe(true);
  expect(http.open).toBe(false);
});

test('takes a response that nobody asked for to be garbage', async () => {
  const { channel, http } = started();
  channel.play('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  expect(http.open).toBe(false);
  expect(await http.send(get, 1000)).toMatchObject({ type: 'failure', kind: 'garbage' });
});

test('tells how the connection ended, also when it ended before the request', async () => {
  const { channel, http } = started();
  const waiting = http.send(get, 1000);
  channel.play('HTTP/1.1 200 OK\r\n');
  channel.events?.end({
    kind: 'tls-alert',
    alert: 'bad_certificate',
    detail: 'the target sent the TLS alert bad_certificate',
  });
  const failure = { type: 'failure', kind: 'tls-alert', alert: 'bad_certificate' };
  expect(await waiting).toMatchObject(failure);
  expect(await http.send(get, 1000)).toMatchObject(failure);
});

test('takes the clean end of the connection to complete a body without framing, a reset not', async () => {
  const [clean, reset] = [started(), started()];
  const outcomes = [clean, reset].map(({ http }) => http.send(get, 1000));
  for (const { channel } of [clean, reset]) channel.play('HTTP/1.1 200 OK\r\n\r\nbody');
  clean.channel.events?.end({ kind: 'closed', detail: '' });
  reset.channel.events?.end({ kind: 'reset', detail: '' });
  expect(await Promise.all(outcomes)).toMatchObject([
    { status: 200, body: Buffer.from('body') },
    { type: 'failure', kind: 'reset' },
  ]);
});
