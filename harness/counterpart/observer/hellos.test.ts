import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import { beforeAll, expect, test } from 'vitest';
import { createPki } from '../../../certs/pki.ts';
import type { Pki } from '../../../certs/pki.ts';
import { readHellos } from './hellos.ts';
import { Observer } from './observer.ts';
import type { Traffic } from './observer.ts';

let pki: Pki;

beforeAll(async () => {
  pki = await createPki();
});

/** Handshakes of a client with one server, one after the other, each offering the session of the one before. */
async function handshakes(server: TlsOptions, client: ConnectionOptions, count: number): Promise<Traffic> {
  const listening = createServer(
    { key: pki.server.privateKey, cert: pki.server.chain, ...server },
    (socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      socket.end('hello');
    },
  );
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const beyond = (listening.address() as AddressInfo).port;
  await using observer = await Observer.open('127.0.0.1', { host: '127.0.0.1', port: beyond });
  let session: Buffer | undefined;
  for (let number = 0; number < count; number++) {
    const socket = connect({
      host: '127.0.0.1',
      port: observer.port,
      rejectUnauthorized: false,
      ...(session === undefined ? {} : { session }),
      ...client,
    });
    socket.on('session', (ticket: Buffer) => (session = ticket));
    socket.resume();
    await once(socket, 'close');
  }
  listening.close();
  return observer.traffic;
}

test('TLS 1.3, a full handshake and one that resumes', async () => {
  expect(await handshakes({}, {}, 2)).toMatchObject({ connections: 2, resumed: 1, tls: ['TLSv1.3'] });
});

test('TLS 1.3, where the server asks for another key share first', async () => {
  const traffic = await handshakes({ ecdhCurve: 'P-384' }, { ecdhCurve: 'X25519:P-384' }, 2);
  expect(traffic).toMatchObject({ connections: 2, resumed: 1, tls: ['TLSv1.3'] });
});

test('TLS 1.2 with tickets', async () => {
  const client = { maxVersion: 'TLSv1.2' } as const;
  expect(await handshakes({}, client, 2)).toMatchObject({ connections: 2, resumed: 1, tls: ['TLSv1.2'] });
});

test('TLS 1.2, where a client that knows 1.3 too sends a session ID of no session', async () => {
  expect(await handshakes({ maxVersion: 'TLSv1.2' }, {}, 1)).toMatchObject({ resumed: 0, tls: ['TLSv1.2'] });
});

test('nothing is made of what is no handshake, or breaks off', () => {
  const [nothing, text] = [Buffer.of(), Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')];
  expect(readHellos(nothing, nothing)).toBeUndefined();
  expect(readHellos(nothing, text)).toBeUndefined();
  const short = Buffer.from('160303000a020000060303', 'hex');
  expect(readHellos(nothing, short)).toBeUndefined();
});
