import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { connect } from './connect.ts';
import { startTls } from './loopback-server.ts';

const [DATA, HEADERS, SETTINGS] = [0, 1, 4];
const [END_STREAM, END_HEADERS] = [1, 4];
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** `:status: 200` of the static table (RFC 7541 Appendix A). */
const OK = Buffer.from([0x88]);

/** RFC 9113 §4.1 */
function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Answers every request with a body, also where the method has none. */
function withBody(socket: TLSSocket): void {
  socket.write(frame(SETTINGS, 0, 0));
  let received = Buffer.alloc(0);
  let at = PREFACE.length;
  socket.on('data', (octets) => {
    received = Buffer.concat([received, octets]);
    while (received.length >= at + 9) {
      const end = at + 9 + received.readUIntBE(at, 3);
      if (received.length < end) return;
      const stream = received.readUInt32BE(at + 5);
      if (received.readUInt8(at + 3) === HEADERS)
        socket.write(
          Buffer.concat([
            frame(HEADERS, END_HEADERS, stream, OK),
            frame(DATA, END_STREAM, stream, Buffer.from('content')),
          ]),
        );
      at = end;
    }
  });
}

test('takes content in answer to HEAD for what it is, and not for an ending by the target', async () => {
  await using server = await startTls(withBody, { ALPNProtocols: ['h2'] });
  await using connection = await connect(server.options({ http: 'h2' }));
  const request = { target: '/', fields: [] };
  expect(await connection.send({ ...request, method: 'GET' })).toMatchObject({ status: 200 });
  const broken = { type: 'failure', kind: 'garbage', detail: 'not valid HTTP/2: Protocol error' };
  expect(await connection.send({ ...request, method: 'HEAD' })).toMatchObject(broken);
  expect(connection.open).toBe(false);
  expect(await connection.send({ ...request, method: 'GET' })).toMatchObject(broken);
});
