import { type BindingCache, createBindingCache } from '../resource-server/bindings.ts';
import { ConnectionReader } from '../resource-server/connection.ts';
import type { HttpRequest } from '../resource-server/http-message.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { cacheBy } from './binding-cache.ts';
import { socketOf } from './connections.ts';
import type { Mutant } from './mutant.ts';

/** The reference with bindings found by a name of the connection, given when its first request is read. */
function keyedBy(nameOf: (request: HttpRequest) => string): TargetVariant {
  return {
    parts: () => {
      const names = new WeakMap<object, string>();
      const reader = new ConnectionReader();
      return {
        connections: {
          read(request, key) {
            if (!names.has(key)) names.set(key, nameOf(request));
            return reader.read(request, key);
          },
        },
        bindings: cacheBy((connection, tokenHash) => `${names.get(connection)} ${tokenHash}`),
      };
    },
  };
}

/** On a connection that resumes a TLS session, the bindings of the client's earlier connections count too. */
function keptBySession(): TargetVariant {
  const own = createBindingCache();
  const kept = new Map<string, string>();
  const clients = new WeakMap<object, { readonly name: string; readonly resumed: boolean }>();
  const nameOf = (connection: object, tokenHash: string) => `${clients.get(connection)?.name} ${tokenHash}`;
  const reader = new ConnectionReader();
  const bindings: BindingCache = {
    get: (connection, tokenHash) =>
      own.get(connection, tokenHash) ??
      (clients.get(connection)?.resumed === true ? kept.get(nameOf(connection, tokenHash)) : undefined),
    set(connection, tokenHash, proof) {
      own.set(connection, tokenHash, proof);
      kept.set(nameOf(connection, tokenHash), proof);
    },
  };
  return {
    parts: () => ({
      connections: {
        read(request, key) {
          const connection = reader.read(request, key);
          const resumed = socketOf(request).isSessionReused();
          clients.set(key, { name: connection?.certificate?.thumbprint ?? '', resumed });
          return connection;
        },
      },
      bindings,
    }),
  };
}

/** Verified bindings that outlive their connection (draft -06 §3.3.2, closing paragraphs). */
export const revivalMutants: readonly Mutant[] = [
  {
    id: 'M-RS-72',
    mistake: 'finds verified bindings by the address and port of the client, and does not drop them',
    breaks: ['RS-CACHE-4', 'RS-T1'],
    variant: () => keyedBy(({ socket }) => `${socket.remoteAddress}:${socket.remotePort}`),
  },
  {
    id: 'M-RS-73',
    mistake: 'finds verified bindings by the TLS session, which a later connection resumes',
    breaks: ['RS-CACHE-5', 'RS-T1'],
    variant: keptBySession,
  },
];
