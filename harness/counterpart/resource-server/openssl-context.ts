import { randomBytes } from 'node:crypto';
import type { Identity } from '../../../certs/identity.ts';
import { NO_EXTENDED_MASTER_SECRET } from '../../wire/extended-master-secret.ts';
import type { Pointer } from '../../wire/libssl.ts';
import { useIdentity, type Handle } from '../../wire/openssl-handshake.ts';
import type { TransportPlan } from './contract.ts';
import type { LibsslServer } from './openssl-binding.ts';

/** Control commands, options and modes (openssl/ssl.h). */
const SET_MIN_VERSION = 123;
const SET_MAX_VERSION = 124;
const SET_SESSION_CACHE_MODE = 44;
const CACHE_OFF = 0;
const CACHE_SERVER = 2;
const VERIFY_PEER = 1;
const NO_TICKET = 1 << 14;
const VERSIONS = { 'TLSv1.2': 0x0303, 'TLSv1.3': 0x0304 } as const;

const MAX_EARLY_DATA = 16_384;

/** OpenSSL's server contexts of one scenario, one for each plan; sessions are resumed within a context. */
export class OpenSslContexts {
  readonly #lib: LibsslServer;
  readonly #contexts = new Map<TransportPlan, Pointer>();

  constructor(lib: LibsslServer) {
    this.#lib = lib;
  }

  /**
   * A server that is ready to begin its handshake. To be freed by `SSL_free`.
   *
   * @throws {Error} if the identity cannot be used
   */
  prepare(plan: TransportPlan, identity: Identity): Handle {
    const lib = this.#lib;
    const context = this.#contexts.get(plan) ?? contextFor(lib, plan);
    this.#contexts.set(plan, context);
    const ssl = lib.SSL_new(context);
    const [incoming, outgoing] = [lib.BIO_new(lib.BIO_s_mem()), lib.BIO_new(lib.BIO_s_mem())];
    lib.SSL_set_bio(ssl, incoming, outgoing);
    lib.SSL_set_accept_state(ssl);
    useIdentity(lib, ssl, identity);
    return { ssl, incoming, outgoing };
  }

  /** Connections that stand hold references of their own. */
  free(): void {
    for (const context of this.#contexts.values()) this.#lib.SSL_CTX_free(context);
    this.#contexts.clear();
  }
}

function contextFor(lib: LibsslServer, plan: TransportPlan): Pointer {
  const { extendedMasterSecret = true, resumption = 'none', requestCertificate = true } = plan;
  const context = lib.SSL_CTX_new(lib.TLS_server_method());
  lib.SSL_CTX_set_options(
    context,
    (extendedMasterSecret ? 0 : NO_EXTENDED_MASTER_SECRET) | (resumption === 'tickets' ? 0 : NO_TICKET),
  );
  lib.SSL_CTX_ctrl(context, SET_MIN_VERSION, VERSIONS[plan.tls], null);
  lib.SSL_CTX_ctrl(context, SET_MAX_VERSION, VERSIONS[plan.tls], null);
  lib.SSL_CTX_ctrl(context, SET_SESSION_CACHE_MODE, resumption === 'none' ? CACHE_OFF : CACHE_SERVER, null);
  if (resumption !== 'tickets') lib.SSL_CTX_set_num_tickets(context, 0);
  const id = randomBytes(16);
  lib.SSL_CTX_set_session_id_context(context, id, id.length);
  if (plan.ciphers !== undefined) lib.SSL_CTX_set_cipher_list(context, plan.ciphers);
  if (requestCertificate) lib.SSL_CTX_verify_with(context, VERIFY_PEER, lib.acceptAny);
  if (plan.earlyData === true) lib.SSL_CTX_set_max_early_data(context, MAX_EARLY_DATA);
  return context;
}
