import { spawn, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXPORTER_LABEL } from './exporter.ts';
import { pki } from './loopback-server.ts';
import { loadOpenSslClient } from './openssl-client.ts';
import type { ConnectOptions } from './connection.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

interface OpensslServer extends AsyncDisposable {
  readonly port: number;
  type(text: string): void;
  /** Waits until the server has written this. */
  wrote(text: string): Promise<void>;
}

/** `openssl s_server`, which can do what Node's server cannot: accept early data, and ask for a certificate later. */
async function start(): Promise<OpensslServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tsbt-'));
  const files = { cert: pki.server.chain, key: pki.server.privateKey, CAfile: pki.trusted.certificate };
  const settings: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    settings.push(`-${name}`, join(folder, name));
  }
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  const exported = ['-keymatexport', EXPORTER_LABEL, '-keymatexportlen', '32'];
  const server = spawn('openssl', [
    's_server',
    '-accept',
    String(port),
    '-tls1_3',
    '-early_data',
    ...exported,
    ...settings,
  ]);
  let output = '';
  const news = new EventEmitter();
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (octets: Buffer) => {
      output += octets.toString('latin1');
      news.emit('output');
    });
  const wrote = async (text: string): Promise<void> => {
    const signal = AbortSignal.timeout(3000);
    while (!output.includes(text)) await once(news, 'output', { signal });
  };
  await wrote('ACCEPT');
  return {
    port,
    wrote,
    type: (text) => server.stdin.write(text),
    async [Symbol.asyncDispose]() {
      server.kill();
      await once(server, 'exit');
      await rm(folder, { recursive: true });
    },
  };
}

test.runIf(hasOpenssl)('answers post-handshake authentication and sends early data', async () => {
  const client = await loadOpenSslClient();
  if ('unavailable' in client) throw new Error(client.unavailable);
  await using server = await start();
  const options: ConnectOptions = {
    host: '127.0.0.1',
    port: server.port,
    tls: 'TLSv1.3',
    http: 'http/1.1',
    identity: pki.alice['P-256'],
    serverAuthorities: pki.trusted.certificate,
  };
  const first = await client.connect({ ...options, postHandshakeAuth: true });
  const session = await first.session();
  server.type('c\n');
  await server.wrote('depth=0 CN = alice');
  await first.close();
  let early: Buffer | undefined;
  await using second = await client.connect({
    ...options,
    ...(session && { session }),
    earlyRequest: (earlyExporter) => {
      early = earlyExporter();
      return { method: 'GET', target: '/early', fields: [] };
    },
  });
  expect(second.earlyData).toBe('accepted');
  expect(early).toHaveLength(32);
  expect(early).not.toEqual(second.exporter());
  await server.wrote('GET /early HTTP/1.1');
  await server.wrote(second.exporter().toString('hex').toUpperCase());
  server.type('HTTP/1.1 425 Too Early\r\nContent-Length: 0\r\n\r\n');
  expect(await second.earlyResponse).toMatchObject({ status: 425 });
});
