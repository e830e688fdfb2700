import type { TLSSocket } from 'node:tls';

/**
 * Calls back with each session that the server gives out.
 *
 * @param socket with its handshake done
 */
export function onSession(socket: TLSSocket, kept: (session: Buffer) => void): void {
  if (socket.getProtocol() === 'TLSv1.3') {
    socket.on('session', kept);
    return;
  }
  // On TLS 1.2 it came within the handshake, and Node announces it to those only who listened before.
  const session = socket.getSession();
  if (session !== undefined) kept(session);
}
