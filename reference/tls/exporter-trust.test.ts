import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { createAuthority } from '../../certs/authority.ts';
import { issue } from '../../certs/issue.ts';
import { exporterOf } from './exporter.ts';
import { exporterTrustedOn, hasExtendedMasterSecret } from './exporter-trust.ts';

/** Not among Node's constants. */
const SSL_OP_NO_EXTENDED_MASTER_SECRET = 1;

test.each([
  ['TLS 1.3', { minVersion: 'TLSv1.3' }, true],
  ['TLS 1.2', { maxVersion: 'TLSv1.2' }, true],
  [
    'TLS 1.2 without extended master secret',
    { maxVersion: 'TLSv1.2', secureOptions: SSL_OP_NO_EXTENDED_MASTER_SECRET },
    false,
  ],
] as const)(
  'both ends of %s see the same exporter value and trust it alike',
  async (_what, options, trusted) => {
    const authority = await createAuthority('CA');
    const { chain, privateKey } = await issue(authority, {
      name: 'server',
      keyType: 'P-256',
      dns: ['localhost'],
      extendedKeyUsage: ['serverAuth'],
    });
    const server = createServer({ cert: chain, key: privateKey });
    const accepted = once(server, 'secureConnection');
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      ca: authority.certificate,
      ...options,
    });
    await once(client, 'secureConnect');
    const [accepting] = (await accepted) as [TLSSocket];
    try {
      expect(exporterOf(client)).toEqual(exporterOf(accepting));
      expect(exporterOf(client)).toHaveLength(32);
      expect([exporterTrustedOn(client), exporterTrustedOn(accepting)]).toEqual([trusted, trusted]);
    } finally {
      client.destroy();
      accepting.destroy();
      server.close();
    }
  },
);

test.each(['', '30', '3000', '30820000', '300302010', 'ff'.repeat(40), '30ffffffffffffffffff'])(
  'a session that cannot be read (%s) counts as one without extended master secret',
  (hex) => {
    expect(hasExtendedMasterSecret(Buffer.from(hex, 'hex'))).toBe(false);
  },
);

test('an older protocol version is not trusted', () => {
  const socket = { getProtocol: () => 'TLSv1.1', getSession: () => undefined };
  expect(exporterTrustedOn(socket)).toBe(false);
});
