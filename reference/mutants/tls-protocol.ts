import type { TLSSocket } from 'node:tls';
import {
  type ConnectionFacts,
  ConnectionReader,
  defaultConnectionFacts,
} from '../resource-server/connection.ts';
import { EXPORTER_LABEL, EXPORTER_LENGTH } from '../proof/vocabulary.ts';
import { defaultPresentationChecks, type Presentation } from '../resource-server/admission.ts';
import { invalidToken } from '../resource-server/refusal.ts';
import { tlsOptionsFor } from '../resource-server/server.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { exporterOf } from '../tls/exporter.ts';
import { exporterTrustedOn, hasExtendedMasterSecret } from '../tls/exporter-trust.ts';
import { socketOf, withFacts } from './connections.ts';
import { onHandmadeTls } from './handmade-tls/server.ts';
import type { Mutant } from './mutant.ts';

/** What Node's types leave out: without a context OpenSSL uses the form that has none (RFC 5705 §4). */
interface ContextOptional {
  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer;
}

function isOldVersion(socket: TLSSocket): boolean {
  return ['TLSv1', 'TLSv1.1'].includes(socket.getProtocol() ?? '');
}

function trustsOldVersions(socket: TLSSocket): boolean {
  return isOldVersion(socket) || exporterTrustedOn(socket);
}

/** The reference on TLS 1.0 and 1.1 too. */
function onOldVersions(facts: Partial<ConnectionFacts> = {}): TargetVariant {
  return {
    ...withFacts({ exporterTrustedOn: trustsOldVersions, ...facts }),
    acceptsConnection: trustsOldVersions,
    tls: (material) => ({ ...tlsOptionsFor(material), minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  };
}

function wearsOutKeys(): TargetVariant {
  const repeated = new WeakMap<object, number>();
  const { run } = defaultPresentationChecks.get('proof');
  return {
    ...withoutKeyUpdates(),
    parts: () => ({
      checks: defaultPresentationChecks.with('proof', (presentation, parts) => {
        const { key, tokenHash, proofs } = presentation;
        const verified = parts.bindings.get(key, tokenHash);
        const count = (repeated.get(key) ?? 0) + (verified !== undefined && verified === proofs[0] ? 1 : 0);
        repeated.set(key, count);
        return count < 3 ? run(presentation, parts) : invalidToken('the keys of the connection are worn out');
      }),
    }),
  };
}

function withoutKeyUpdates(): TargetVariant {
  return onHandmadeTls({ keyUpdates: false });
}

/** The reference that refuses whatever token comes in some requests. */
function refusing(when: (presentation: Presentation) => boolean): TargetVariant {
  const { run } = defaultPresentationChecks.get('confirmation');
  return {
    parts: () => ({
      checks: defaultPresentationChecks.with('confirmation', (presentation, parts) =>
        when(presentation) ? invalidToken('no token is known on this connection') : run(presentation, parts),
      ),
    }),
  };
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
    lacks: ['tls1.2', 'h2'],
    variant: () =>
      onHandmadeTls({
        earlyData: true,
      }),
  },
  {
    id: 'M-RS-343',
    mistake: 'ends the connection at a KeyUpdate, which its TLS implementation does not know',
    breaks: ['RS-EKM-6'],
    lacks: ['tls1.2', 'h2'],
    variant: withoutKeyUpdates,
  },
  {
    id: 'M-RS-443',
    mistake:
      'does without KeyUpdate: ends the connection at one, and takes its keys for worn out, and all proofs with them, when a proof comes on it for the fourth time',
    breaks: ['RS-EKM-6'],
    lacks: ['tls1.2', 'h2'],
    variant: wearsOutKeys,
  },
  {
    id: 'M-RS-113',
    mistake: 'speaks TLS 1.0 and 1.1 as well',
    breaks: ['RS-EKM-14'],
    variant: () => onOldVersions(),
  },
  {
    id: 'M-RS-432',
    mistake: 'speaks TLS 1.0 and 1.1 as well, where its older library exports without a context',
    breaks: ['RS-EKM-14'],
    variant: () =>
      onOldVersions({
        exporterOf: (socket) =>
          isOldVersion(socket)
            ? (socket as ContextOptional).exportKeyingMaterial(EXPORTER_LENGTH, EXPORTER_LABEL)
            : exporterOf(socket),
      }),
  },
  {
    id: 'M-RS-439',
    mistake: 'exports once for all connections of TLS 1.2, and compares each of them with that value',
    breaks: ['RS-EKM-4', 'RS-TLS-1'],
    also: ['TLSv1.2 http/1.1 P-256'],
    variant: () => {
      let first: Buffer | undefined;
      return withFacts({
        exporterOf: (socket) =>
          socket.getProtocol() === 'TLSv1.2' ? (first ??= exporterOf(socket)) : exporterOf(socket),
      });
    },
  },
  {
    id: 'M-RS-680',
    mistake: 'claims TLS 1.2, and refuses every token that comes on it',
    breaks: ['RS-TLS-1'],
    also: ['TLSv1.2 http/1.1 P-256'],
    variant: () => refusing(({ request }) => socketOf(request).getProtocol() === 'TLSv1.2'),
  },
  {
    id: 'M-RS-681',
    mistake: 'claims TLS 1.2, and was configured for TLS 1.3 alone',
    breaks: ['RS-TLS-1'],
    variant: () => ({ tls: (material) => ({ ...tlsOptionsFor(material), minVersion: 'TLSv1.3' }) }),
  },
  {
    id: 'M-RS-682',
    mistake: 'claims HTTP/2, and refuses every token that comes on it',
    breaks: ['RS-TLS-1'],
    variant: () => refusing(({ request }) => request.httpVersionMajor === 2),
  },
  {
    id: 'M-RS-683',
    mistake: 'claims HTTP/2, and negotiates HTTP/1.1 alone',
    breaks: ['RS-TLS-1'],
    variant: () => ({
      tls: (material) => ({
        ...tlsOptionsFor(material),
        ALPNCallback: ({ protocols }) => protocols.find((protocol) => protocol === 'http/1.1'),
      }),
    }),
  },
];
