import { isIP } from 'node:net';
import type { Identity } from '../../certs/identity.ts';
import type { ConnectOptions, LegacyTlsVersion, TlsVersion } from './connection.ts';
import { NO_EXTENDED_MASTER_SECRET } from './extended-master-secret.ts';
import { opensslError, type Libssl, type Pointer } from './libssl.ts';
import { withoutNodePrefix } from './ssl-session.ts';

/** `SSL_CTX_ctrl` and `SSL_ctrl` commands, and what goes with them (openssl/ssl.h). */
const SET_MIN_VERSION = 123;
const SET_MAX_VERSION = 124;
const SET_HOSTNAME = 55;
const ADD_CHAIN_CERTIFICATE = 89;
const NO_TICKET = 1 << 14;
const VERIFY_NONE = 0;
const VERIFY_PEER = 1;
const VERSIONS: Readonly<Record<TlsVersion | LegacyTlsVersion, number>> = {
  TLSv1: 0x0301,
  'TLSv1.1': 0x0302,
  'TLSv1.2': 0x0303,
  'TLSv1.3': 0x0304,
};

/** One OpenSSL client with its two memory BIOs; freed by `SSL_free`. */
export interface Handle {
  readonly ssl: Pointer;
  /** Octets from the network go in here. */
  readonly incoming: Pointer;
  /** Octets for the network come out here. */
  readonly outgoing: Pointer;
}

/**
 * Makes an OpenSSL client that is ready to begin its handshake.
 *
 * @throws {Error} if a certificate or key cannot be used
 */
export function prepare(lib: Libssl, options: ConnectOptions, postHandshakeAuth: boolean): Handle {
  const context = lib.SSL_CTX_new(lib.TLS_client_method());
  try {
    const { extendedMasterSecret = true, sessionTickets = true, serverAuthorities, ciphers } = options;
    lib.SSL_CTX_set_options(
      context,
      (extendedMasterSecret ? 0 : NO_EXTENDED_MASTER_SECRET) | (sessionTickets ? 0 : NO_TICKET),
    );
    lib.SSL_CTX_ctrl(context, SET_MIN_VERSION, VERSIONS[options.tls], null);
    lib.SSL_CTX_ctrl(context, SET_MAX_VERSION, VERSIONS[options.tls], null);
    if (ciphers !== undefined) check(lib, lib.SSL_CTX_set_cipher_list(context, ciphers));
    if (postHandshakeAuth) lib.SSL_CTX_set_post_handshake_auth(context, 1);
    for (const certificate of certificatesIn(lib, serverAuthorities ?? '')) {
      check(lib, lib.X509_STORE_add_cert(lib.SSL_CTX_get_cert_store(context), certificate));
      lib.X509_free(certificate);
    }
    lib.SSL_CTX_set_verify(context, serverAuthorities === null ? VERIFY_NONE : VERIFY_PEER, null);
    const ssl = lib.SSL_new(context);
    const [incoming, outgoing] = [lib.BIO_new(lib.BIO_s_mem()), lib.BIO_new(lib.BIO_s_mem())];
    lib.SSL_set_bio(ssl, incoming, outgoing);
    lib.SSL_set_connect_state(ssl);
    setNames(lib, ssl, options);
    if (options.identity !== null) useIdentity(lib, ssl, options.identity);
    if (options.session !== undefined) resume(lib, ssl, options.session);
    return { ssl, incoming, outgoing };
  } finally {
    // The SSL object holds its own reference.
    lib.SSL_CTX_free(context);
  }
}

function setNames(lib: Libssl, ssl: Pointer, options: ConnectOptions): void {
  const name = options.servername === undefined ? 'localhost' : (options.servername ?? options.host);
  if (options.servername !== null && isIP(name) === 0) lib.SSL_set_tlsext(ssl, SET_HOSTNAME, 0, name);
  if (options.serverAuthorities !== null) lib.SSL_set1_host(ssl, name);
  const protocol = Buffer.from('http/1.1', 'latin1');
  const list = Buffer.concat([Uint8Array.of(protocol.length), protocol]);
  lib.SSL_set_alpn_protos(ssl, list, list.length);
}

/**
 * Gives the client this certificate and key from the next handshake on.
 *
 * @throws {Error} if they do not belong together
 */
export function useIdentity(lib: Libssl, ssl: Pointer, identity: Identity): void {
  const [leaf, ...issuers] = certificatesIn(lib, identity.chain);
  const bio = memoryOf(lib, identity.privateKey);
  const key = lib.PEM_read_bio_PrivateKey(bio, null, null, null);
  lib.BIO_free(bio);
  if (leaf === undefined || key === null)
    throw new Error(`OpenSSL cannot read the identity ${identity.name}`);
  check(lib, lib.SSL_use_certificate(ssl, leaf));
  check(lib, lib.SSL_use_PrivateKey(ssl, key));
  for (const issuer of issuers) lib.SSL_ctrl(ssl, ADD_CHAIN_CERTIFICATE, 1, issuer);
  for (const certificate of [leaf, ...issuers]) lib.X509_free(certificate);
  lib.EVP_PKEY_free(key);
}

const SESSION_LABEL = 'SSL SESSION PARAMETERS';

function resume(lib: Libssl, ssl: Pointer, session: Buffer): void {
  const body = withoutNodePrefix(session)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n');
  const bio = memoryOf(lib, `-----BEGIN ${SESSION_LABEL}-----\n${body}\n-----END ${SESSION_LABEL}-----\n`);
  const parsed = lib.PEM_read_bio_SSL_SESSION(bio, null, null, null);
  lib.BIO_free(bio);
  if (parsed === null) throw new Error(`the session to resume cannot be read: ${opensslError(lib)}`);
  check(lib, lib.SSL_set_session(ssl, parsed));
  lib.SSL_SESSION_free(parsed);
}

/** The session in OpenSSL's DER form, and whether a later connection can resume it. */
export function sessionOf(
  lib: Libssl,
  ssl: Pointer,
): { readonly der: Buffer; readonly resumable: boolean } | undefined {
  const session = lib.SSL_get_session(ssl);
  if (session === null) return undefined;
  const bio = lib.BIO_new(lib.BIO_s_mem());
  lib.PEM_write_bio_SSL_SESSION(bio, session);
  const pem = Buffer.alloc(Number(lib.BIO_ctrl_pending(bio)));
  lib.BIO_read(bio, pem, pem.length);
  lib.BIO_free(bio);
  const der = Buffer.from(pem.toString('latin1').replaceAll(/-----[^-]+-----|\n/g, ''), 'base64');
  return { der, resumable: lib.SSL_SESSION_is_resumable(session) === 1 };
}

function certificatesIn(lib: Libssl, pem: string): readonly Pointer[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    const bio = memoryOf(lib, block);
    const certificate = lib.PEM_read_bio_X509(bio, null, null, null);
    lib.BIO_free(bio);
    return certificate ?? [];
  });
}

/** A BIO with its own copy of a text: a buffer of JavaScript's may be moved or freed under it. */
function memoryOf(lib: Libssl, text: string): Pointer {
  const bio = lib.BIO_new(lib.BIO_s_mem());
  const octets = Buffer.from(text, 'latin1');
  lib.BIO_write(bio, octets, octets.length);
  return bio;
}

function check(lib: Libssl, result: number): void {
  if (result !== 1) throw new Error(`OpenSSL refused: ${opensslError(lib)}`);
}
