/**
 * The OpenSSL inside the node binary, called through koffi: for what `node:tls` has no API for. koffi is an optional
 * dependency; nothing else in the suite needs it.
 */

/** A C pointer, as koffi hands it out. */
export type Pointer = object & { readonly __pointer?: never };

/** The functions in use, named and ordered as in OpenSSL's manual pages. */
export interface Libssl {
  readonly TLS_client_method: () => Pointer;
  readonly SSL_CTX_new: (method: Pointer) => Pointer;
  readonly SSL_CTX_free: (context: Pointer) => void;
  readonly SSL_CTX_set_options: (context: Pointer, options: number) => bigint | number;
  readonly SSL_CTX_ctrl: (
    context: Pointer,
    command: number,
    number: number,
    pointer: Pointer | null,
  ) => number;
  readonly SSL_CTX_set_cipher_list: (context: Pointer, list: string) => number;
  readonly SSL_CTX_get_cert_store: (context: Pointer) => Pointer;
  readonly SSL_CTX_set_verify: (context: Pointer, mode: number, callback: null) => void;
  readonly SSL_CTX_set_post_handshake_auth: (context: Pointer, on: number) => void;
  readonly X509_STORE_add_cert: (store: Pointer, certificate: Pointer) => number;
  readonly X509_free: (certificate: Pointer) => void;
  readonly EVP_PKEY_free: (key: Pointer) => void;
  readonly SSL_new: (context: Pointer) => Pointer;
  readonly SSL_free: (ssl: Pointer) => void;
  readonly SSL_set_bio: (ssl: Pointer, read: Pointer, write: Pointer) => void;
  readonly SSL_set_connect_state: (ssl: Pointer) => void;
  readonly SSL_ctrl: (ssl: Pointer, command: number, number: number, pointer: Pointer | null) => number;
  readonly SSL_set_tlsext: (ssl: Pointer, command: number, number: number, name: string) => number;
  readonly SSL_set1_host: (ssl: Pointer, name: string) => number;
  readonly SSL_set_alpn_protos: (ssl: Pointer, protocols: Buffer, length: number) => number;
  readonly SSL_use_certificate: (ssl: Pointer, certificate: Pointer) => number;
  readonly SSL_use_PrivateKey: (ssl: Pointer, key: Pointer) => number;
  readonly SSL_do_handshake: (ssl: Pointer) => number;
  readonly SSL_get_error: (ssl: Pointer, result: number) => number;
  readonly SSL_read: (ssl: Pointer, into: Buffer, length: number) => number;
  readonly SSL_write: (ssl: Pointer, from: Uint8Array, length: number) => number;
  readonly SSL_shutdown: (ssl: Pointer) => number;
  readonly SSL_in_init: (ssl: Pointer) => number;
  readonly SSL_get_version: (ssl: Pointer) => string;
  readonly SSL_get_current_cipher: (ssl: Pointer) => Pointer;
  readonly SSL_CIPHER_standard_name: (cipher: Pointer) => string;
  readonly SSL_session_reused: (ssl: Pointer) => number;
  readonly SSL_get_client_random: (ssl: Pointer, into: Buffer, length: number) => number | bigint;
  readonly SSL_get_server_random: (ssl: Pointer, into: Buffer, length: number) => number | bigint;
  readonly SSL_get_finished: (ssl: Pointer, into: Buffer, length: number) => number | bigint;
  readonly SSL_get_peer_finished: (ssl: Pointer, into: Buffer, length: number) => number | bigint;
  readonly SSL_get_session: (ssl: Pointer) => Pointer | null;
  readonly SSL_set_session: (ssl: Pointer, session: Pointer) => number;
  readonly SSL_SESSION_free: (session: Pointer) => void;
  readonly SSL_SESSION_is_resumable: (session: Pointer) => number;
  readonly SSL_SESSION_get_master_key: (session: Pointer, into: Buffer, length: number) => number | bigint;
  readonly PEM_write_bio_SSL_SESSION: (bio: Pointer, session: Pointer) => number;
  readonly PEM_read_bio_SSL_SESSION: (
    bio: Pointer,
    into: null,
    callback: null,
    argument: null,
  ) => Pointer | null;
  readonly SSL_export_keying_material: (
    ssl: Pointer,
    into: Buffer,
    length: number,
    label: Buffer,
    labelLength: number,
    context: Buffer,
    contextLength: number,
    useContext: number,
  ) => number;
  readonly SSL_export_keying_material_early: (
    ssl: Pointer,
    into: Buffer,
    length: number,
    label: Buffer,
    labelLength: number,
    context: Buffer,
    contextLength: number,
  ) => number;
  readonly SSL_key_update: (ssl: Pointer, type: number) => number;
  readonly SSL_renegotiate: (ssl: Pointer) => number;
  readonly SSL_write_early_data: (
    ssl: Pointer,
    from: Uint8Array,
    length: number,
    written: [number],
  ) => number;
  readonly SSL_get_early_data_status: (ssl: Pointer) => number;
  readonly BIO_s_mem: () => Pointer;
  readonly BIO_new: (method: Pointer) => Pointer;
  readonly BIO_free: (bio: Pointer) => number;
  readonly BIO_read: (bio: Pointer, into: Buffer, length: number) => number;
  readonly BIO_write: (bio: Pointer, from: Uint8Array, length: number) => number;
  readonly BIO_ctrl_pending: (bio: Pointer) => number | bigint;
  readonly PEM_read_bio_X509: (bio: Pointer, into: null, callback: null, argument: null) => Pointer | null;
  readonly PEM_read_bio_PrivateKey: (
    bio: Pointer,
    into: null,
    callback: null,
    argument: null,
  ) => Pointer | null;
  readonly ERR_get_error: () => number | bigint;
  readonly ERR_clear_error: () => void;
  readonly ERR_error_string_n: (code: number | bigint, into: Buffer, length: number) => void;
}

/** C declarations of {@link Libssl}, by name; where the name differs from the symbol, the symbol comes with it. */
const DECLARATIONS: Readonly<Record<keyof Libssl, string>> = {
  TLS_client_method: 'void *TLS_client_method()',
  SSL_CTX_new: 'void *SSL_CTX_new(void *)',
  SSL_CTX_free: 'void SSL_CTX_free(void *)',
  SSL_CTX_set_options: 'uint64_t SSL_CTX_set_options(void *, uint64_t)',
  SSL_CTX_ctrl: 'long SSL_CTX_ctrl(void *, int, long, void *)',
  SSL_CTX_set_cipher_list: 'int SSL_CTX_set_cipher_list(void *, const char *)',
  SSL_CTX_get_cert_store: 'void *SSL_CTX_get_cert_store(void *)',
  SSL_CTX_set_verify: 'void SSL_CTX_set_verify(void *, int, void *)',
  SSL_CTX_set_post_handshake_auth: 'void SSL_CTX_set_post_handshake_auth(void *, int)',
  X509_STORE_add_cert: 'int X509_STORE_add_cert(void *, void *)',
  X509_free: 'void X509_free(void *)',
  EVP_PKEY_free: 'void EVP_PKEY_free(void *)',
  SSL_new: 'void *SSL_new(void *)',
  SSL_free: 'void SSL_free(void *)',
  SSL_set_bio: 'void SSL_set_bio(void *, void *, void *)',
  SSL_set_connect_state: 'void SSL_set_connect_state(void *)',
  SSL_ctrl: 'long SSL_ctrl(void *, int, long, void *)',
  SSL_set_tlsext: 'long SSL_ctrl(void *, int, long, const char *)',
  SSL_set1_host: 'int SSL_set1_host(void *, const char *)',
  SSL_set_alpn_protos: 'int SSL_set_alpn_protos(void *, void *, uint)',
  SSL_use_certificate: 'int SSL_use_certificate(void *, void *)',
  SSL_use_PrivateKey: 'int SSL_use_PrivateKey(void *, void *)',
  SSL_do_handshake: 'int SSL_do_handshake(void *)',
  SSL_get_error: 'int SSL_get_error(void *, int)',
  SSL_read: 'int SSL_read(void *, void *, int)',
  SSL_write: 'int SSL_write(void *, void *, int)',
  SSL_shutdown: 'int SSL_shutdown(void *)',
  SSL_in_init: 'int SSL_in_init(void *)',
  SSL_get_version: 'const char *SSL_get_version(void *)',
  SSL_get_current_cipher: 'void *SSL_get_current_cipher(void *)',
  SSL_CIPHER_standard_name: 'const char *SSL_CIPHER_standard_name(void *)',
  SSL_session_reused: 'int SSL_session_reused(void *)',
  SSL_get_client_random: 'size_t SSL_get_client_random(void *, void *, size_t)',
  SSL_get_server_random: 'size_t SSL_get_server_random(void *, void *, size_t)',
  SSL_get_finished: 'size_t SSL_get_finished(void *, void *, size_t)',
  SSL_get_peer_finished: 'size_t SSL_get_peer_finished(void *, void *, size_t)',
  SSL_get_session: 'void *SSL_get_session(void *)',
  SSL_set_session: 'int SSL_set_session(void *, void *)',
  SSL_SESSION_free: 'void SSL_SESSION_free(void *)',
  SSL_SESSION_is_resumable: 'int SSL_SESSION_is_resumable(void *)',
  SSL_SESSION_get_master_key: 'size_t SSL_SESSION_get_master_key(void *, void *, size_t)',
  PEM_write_bio_SSL_SESSION: 'int PEM_write_bio_SSL_SESSION(void *, void *)',
  PEM_read_bio_SSL_SESSION: 'void *PEM_read_bio_SSL_SESSION(void *, void *, void *, void *)',
  SSL_export_keying_material:
    'int SSL_export_keying_material(void *, void *, size_t, void *, size_t, void *, size_t, int)',
  SSL_export_keying_material_early:
    'int SSL_export_keying_material_early(void *, void *, size_t, void *, size_t, void *, size_t)',
  SSL_key_update: 'int SSL_key_update(void *, int)',
  SSL_renegotiate: 'int SSL_renegotiate(void *)',
  SSL_write_early_data: 'int SSL_write_early_data(void *, void *, size_t, _Out_ size_t *)',
  SSL_get_early_data_status: 'int SSL_get_early_data_status(void *)',
  BIO_s_mem: 'void *BIO_s_mem()',
  BIO_new: 'void *BIO_new(void *)',
  BIO_free: 'int BIO_free(void *)',
  BIO_read: 'int BIO_read(void *, void *, int)',
  BIO_write: 'int BIO_write(void *, void *, int)',
  BIO_ctrl_pending: 'size_t BIO_ctrl_pending(void *)',
  PEM_read_bio_X509: 'void *PEM_read_bio_X509(void *, void *, void *, void *)',
  PEM_read_bio_PrivateKey: 'void *PEM_read_bio_PrivateKey(void *, void *, void *, void *)',
  ERR_get_error: 'ulong ERR_get_error()',
  ERR_clear_error: 'void ERR_clear_error()',
  ERR_error_string_n: 'void ERR_error_string_n(ulong, void *, size_t)',
};

/** Why OpenSSL cannot be called here. */
export interface Unavailable {
  readonly unavailable: string;
}

let loading: Promise<Libssl | Unavailable> | undefined;

/** OpenSSL's functions, or in words why they are not to be had (koffi not installed, symbols not exported, …). */
export function loadLibssl(): Promise<Libssl | Unavailable> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Libssl | Unavailable> {
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    const functions = Object.entries(DECLARATIONS).map(([name, declaration]) => [
      name,
      library.func(declaration),
    ]);
    return Object.fromEntries(functions) as Libssl;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { unavailable: `OpenSSL cannot be called from here (optional dependency koffi): ${reason}` };
  }
}

/** The oldest error that OpenSSL has noted, in its words; clears the rest. */
export function opensslError(ssl: Libssl): string {
  const code = ssl.ERR_get_error();
  ssl.ERR_clear_error();
  if (Number(code) === 0) return 'no error noted';
  const text = Buffer.alloc(256);
  ssl.ERR_error_string_n(code, text, text.length);
  return text.toString('latin1', 0, text.indexOf(0));
}
