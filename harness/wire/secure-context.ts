import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { ConnectOptions } from './connection.ts';
import { NO_EXTENDED_MASTER_SECRET } from './extended-master-secret.ts';

/**
 * Without the hybrid ML-KEM group, which costs a fifth of the handshake rate and tests nothing here; with P-521, which
 * TLS 1.2 needs for certificates on that curve.
 */
const GROUPS = 'X25519:P-256:P-384:P-521';

/** OpenSSL refuses TLS 1.0 and 1.1 at its default security level. */
const LEGACY_CIPHERS = 'DEFAULT@SECLEVEL=0';

const ANONYMOUS = {};
const contexts = new WeakMap<object, Map<string, SecureContext>>();

/**
 * The TLS client context for these options; shared between connections, since making one costs as much as a fifth of a
 * handshake. Kept for as long as the identity object is.
 *
 * @throws {Error} if the identity's certificate and key do not belong together
 */
export function secureContextFor(options: ConnectOptions): SecureContext {
  const {
    identity,
    tls,
    ciphers,
    extendedMasterSecret = true,
    sessionTickets = true,
    serverAuthorities,
  } = options;
  const owner = identity ?? ANONYMOUS;
  const known = contexts.get(owner) ?? new Map<string, SecureContext>();
  contexts.set(owner, known);
  const key = JSON.stringify([tls, ciphers, extendedMasterSecret, sessionTickets, serverAuthorities]);
  const found = known.get(key);
  if (found !== undefined) return found;
  const legacy = tls === 'TLSv1' || tls === 'TLSv1.1';
  const settings: SecureContextOptions = {
    minVersion: tls,
    maxVersion: tls,
    ecdhCurve: GROUPS,
    secureOptions:
      (extendedMasterSecret ? 0 : NO_EXTENDED_MASTER_SECRET) |
      (sessionTickets ? 0 : constants.SSL_OP_NO_TICKET),
    ...(identity && { cert: identity.chain, key: identity.privateKey }),
    ...((ciphers !== undefined || legacy) && { ciphers: ciphers ?? LEGACY_CIPHERS }),
    ...(typeof serverAuthorities === 'string' && { ca: serverAuthorities }),
  };
  const context = createSecureContext(settings);
  known.set(key, context);
  return context;
}
