import { constants, randomBytes } from 'node:crypto';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import type { Identity } from '../../../certs/identity.ts';
import { NO_EXTENDED_MASTER_SECRET } from '../../wire/extended-master-secret.ts';
import type { TransportPlan } from './contract.ts';

/** As the suite's own client: without the hybrid ML-KEM group, which costs time and tests nothing here. */
const GROUPS = 'X25519:P-256:P-384:P-521';

const HANDSHAKE_TIMEOUT_MS = 30_000;

/** Most sessions that are remembered for resumption by session identifier. */
const MAX_SESSIONS = 1000;

/** What connections of one scenario share, so that one can resume another's session; none of it outlives the scenario. */
export class SessionStore {
  readonly ticketKeys = randomBytes(48);
  readonly context = randomBytes(16).toString('hex');
  readonly #sessions = new Map<string, Buffer>();

  /** Has a server resume by session identifier (RFC 5246 §7.3). */
  serve(server: Server): void {
    server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
      if (this.#sessions.size < MAX_SESSIONS) this.#sessions.set(id.toString('hex'), session);
      done();
    });
    server.on('resumeSession', (id: Buffer, done: (error: Error | null, session: Buffer | null) => void) => {
      done(null, this.#sessions.get(id.toString('hex')) ?? null);
    });
  }
}

/** What a {@link TransportPlan} leaves to its counterpart. */
export interface TransportDefaults {
  readonly identity: Identity;
  readonly ciphers?: string;
}

/**
 * A TLS server for one connection: fed by emitting `connection`, it never listens. One for each, so that whatever it
 * emits is about that connection.
 *
 * @throws {Error} if certificate and key do not belong together, or the cipher list is unusable
 */
export function tlsServerFor(plan: TransportPlan, defaults: TransportDefaults, store: SessionStore): Server {
  const { extendedMasterSecret = true, resumption = 'none', requestCertificate = true } = plan;
  const identity = plan.identity ?? defaults.identity;
  const ciphers = plan.ciphers ?? defaults.ciphers;
  const options: TlsOptions = {
    cert: identity.chain,
    key: identity.privateKey,
    // No trust anchors: nothing is verified, and no list of authorities is sent that a client might choose by.
    ca: [],
    requestCert: requestCertificate,
    rejectUnauthorized: false,
    minVersion: plan.tls,
    maxVersion: plan.tls,
    ALPNProtocols: [plan.http],
    ecdhCurve: GROUPS,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    sessionIdContext: store.context,
    ticketKeys: store.ticketKeys,
    secureOptions:
      (extendedMasterSecret ? 0 : NO_EXTENDED_MASTER_SECRET) |
      (resumption === 'tickets' ? 0 : constants.SSL_OP_NO_TICKET),
    ...(ciphers !== undefined && { ciphers }),
  };
  const server = createServer(options);
  if (resumption === 'session-ids' && plan.tls === 'TLSv1.2') store.serve(server);
  return server;
}
