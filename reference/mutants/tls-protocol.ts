import type { TLSSocket } from 'node:tls';
import { ConnectionReader, defaultConnectionFacts } from '../resource-server/connection.ts';
import { tlsOptionsFor } from '../resource-server/server.ts';
import { exporterTrustedOn, hasExtendedMasterSecret } from '../tls/exporter-trust.ts';
import { withFacts } from './connections.ts';
import { createHandmadeServer } from './handmade-tls/server.ts';
import type { Mutant } from './mutant.ts';

function trustsOldVersions(socket: TLSSocket): boolean {
  return ['TLSv1', 'TLSv1.1'].includes(socket.getProtocol() ?? '') || exporterTrustedOn(socket);
}

/** Mistakes with versions and extensions of TLS (draft -06 §2.2). */
export const tlsProtocolMutants: readonly Mutant[] = [
  {
    id: 'M-RS-32',
    mistake: 'accepts TLS 1.2 without the extended master secret',
    breaks: ['RS-EKM-9', 'RS-RELAY-1'],
    variant: () => ({ ...withFacts({ exporterTrustedOn: () => true }), acceptsConnection: () => true }),
  },
  {
    id: 'M-RS-33',
    mistake: 'demands the extended master secret of TLS 1.3 too, which has no such extension',
    breaks: ['RS-EKM-1'],
    variant: () =>
      withFacts({
        exporterTrustedOn: (socket) =>
          socket.getProtocol() !== 'TLSv1.3' &&
          hasExtendedMasterSecret(socket.getSession() ?? Buffer.alloc(0)),
      }),
  },
  {
    id: 'M-RS-34',
    mistake: 'allows renegotiation, and keeps exporter value and certificate of the first handshake',
    breaks: ['RS-EKM-10'],
    variant: () => ({
      tls: (material) => ({ ...tlsOptionsFor(material), secureOptions: 0 }),
      parts: () => ({
        connections: new ConnectionReader({ ...defaultConnectionFacts, pin: () => undefined }),
      }),
    }),
  },
  {
    id: 'M-RS-37',
    mistake: 'handles requests in early data before the handshake is complete, with the early exporter',
    breaks: ['RS-EKM-11'],
    variant: () => ({
      server: (material, listener) =>
        createHandmadeServer({
          material,
          listener,
          verifiesPossession: true,
          earlyData: true,
          keyUpdates: true,
        }),
    }),
  },
  {
    id: 'M-RS-343',
    mistake: 'ends the connection at a KeyUpdate, which its TLS implementation does not know',
    breaks: ['RS-EKM-6'],
    variant: () => ({
      server: (material, listener) =>
        createHandmadeServer({
          material,
          listener,
          verifiesPossession: true,
          earlyData: false,
          keyUpdates: false,
        }),
    }),
  },
  {
    id: 'M-RS-113',
    mistake: 'speaks TLS 1.0 and 1.1 as well',
    breaks: ['RS-EKM-14'],
    variant: () => ({
      ...withFacts({ exporterTrustedOn: trustsOldVersions }),
      acceptsConnection: trustsOldVersions,
      tls: (material) => ({ ...tlsOptionsFor(material), minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    }),
  },
];
