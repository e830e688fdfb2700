import type { TLSSocket } from 'node:tls';
import {
  type ConnectionFacts,
  ConnectionReader,
  defaultConnectionFacts,
  type TlsConnection,
} from '../resource-server/connection.ts';
import type { HttpRequest } from '../resource-server/http-message.ts';
import type { TargetVariant } from '../resource-server/target.ts';

/** The reference with some facts of a TLS connection read in another way. */
export function withFacts(facts: Partial<ConnectionFacts>): TargetVariant {
  return {
    parts: () => ({ connections: new ConnectionReader({ ...defaultConnectionFacts, ...facts }) }),
  };
}

/** The reference with what it read of a connection changed anew for each request. */
export function withConnections(
  change: (connection: TlsConnection, request: HttpRequest, key: object) => TlsConnection,
): TargetVariant {
  return {
    parts: () => {
      const reader = new ConnectionReader();
      return {
        connections: {
          read(request, key) {
            const connection = reader.read(request, key);
            return connection === undefined ? undefined : change(connection, request, key);
          },
        },
      };
    },
  };
}

/** The TLS socket under a request; on HTTP/2 a stand-in for it that gives out the same facts. */
export function socketOf(request: HttpRequest): TLSSocket {
  return request.socket as TLSSocket;
}
