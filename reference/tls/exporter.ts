import type { TLSSocket } from 'node:tls';
import { EXPORTER_LABEL, EXPORTER_LENGTH } from '../proof/vocabulary.ts';

/**
 * Exporter value of a connection, with a zero-length context. The context is given on purpose: on
 * TLS 1.2 leaving it out yields other octets (RFC 5705 §4).
 *
 * @throws where the handshake is not done, or the socket is closed
 *
 * Source: draft -06 §2.2.
 */
export function exporterOf(socket: Pick<TLSSocket, 'exportKeyingMaterial'>): Buffer {
  return socket.exportKeyingMaterial(EXPORTER_LENGTH, EXPORTER_LABEL, Buffer.alloc(0));
}
