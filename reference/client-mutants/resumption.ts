import type { TLSSocket } from 'node:tls';
import { signerOf, type ClientIdentity } from '../client/identity.ts';
import { defaultClientParts } from '../client/parts.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { withParts } from './making.ts';

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

/**
 * The reference client that resumes TLS sessions. On a resumed connection the session stands for the certificate that
 * was presented when it began, so that it must be looked up by that.
 *
 * @param keyOf under which a session is kept, and looked up
 * @param signs whose proofs are made on a resumed connection: `current`, of the identity that the connection was asked
 *   for, or `session`, of the one that its session began with
 */
export function resuming(
  keyOf: (identity: ClientIdentity) => string,
  signs: 'current' | 'session' = 'current',
): ClientVariant {
  const sessions = new Map<string, { readonly session: Buffer; readonly identity: ClientIdentity }>();
  // One connection is opened after another.
  let asked: ClientIdentity | undefined;
  let owner: ClientIdentity | undefined;
  return withParts(() => ({
    tlsOptions(origin, identity, settings) {
      asked = identity;
      const known = sessions.get(keyOf(identity));
      owner = known?.identity;
      return {
        ...defaultClientParts.tlsOptions(origin, identity, settings),
        ...(known && { session: known.session }),
      };
    },
    objectionTo(socket) {
      const identity = socket.isSessionReused() ? owner : asked;
      if (identity !== undefined)
        onSession(socket, (session) => sessions.set(keyOf(identity), { session, identity }));
      // No certificate is asked for when a session is resumed: it stands for the one that was presented then.
      const objection = defaultClientParts.objectionTo(socket);
      return objection?.code === 'certificate-not-asked' && socket.isSessionReused() ? undefined : objection;
    },
    proofsOf(basis) {
      const isOwners = signs === 'session' && basis.socket?.isSessionReused() === true && owner !== undefined;
      return defaultClientParts.proofsOf(isOwners && owner ? { ...basis, signer: signerOf(owner) } : basis);
    },
  }));
}
