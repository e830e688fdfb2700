import { loadLibssl, type Libssl, type Pointer, type Unavailable } from '../../wire/libssl.ts';

/** The server's side of OpenSSL, beside {@link Libssl}. */
export interface LibsslServer extends Libssl {
  readonly TLS_server_method: () => Pointer;
  readonly SSL_set_accept_state: (ssl: Pointer) => void;
  readonly SSL_CTX_verify_with: (context: Pointer, mode: number, callback: Pointer) => void;
  readonly SSL_CTX_set_session_id_context: (context: Pointer, id: Buffer, length: number) => number;
  readonly SSL_CTX_set_num_tickets: (context: Pointer, count: number) => number;
  readonly SSL_CTX_set_max_early_data: (context: Pointer, octets: number) => number;
  readonly SSL_read_early_data: (ssl: Pointer, into: Buffer, length: number, read: [number]) => number;
  readonly SSL_get_servername: (ssl: Pointer, type: number) => string | null;
  /** A C function that takes any certificate: a client's is shown, not judged. */
  readonly acceptAny: Pointer;
}

const DECLARATIONS: Readonly<Record<Exclude<keyof LibsslServer, keyof Libssl | 'acceptAny'>, string>> = {
  TLS_server_method: 'void *TLS_server_method()',
  SSL_set_accept_state: 'void SSL_set_accept_state(void *)',
  SSL_CTX_verify_with: 'void SSL_CTX_set_verify(void *, int, void *)',
  SSL_CTX_set_session_id_context: 'int SSL_CTX_set_session_id_context(void *, void *, uint)',
  SSL_CTX_set_num_tickets: 'int SSL_CTX_set_num_tickets(void *, size_t)',
  SSL_CTX_set_max_early_data: 'int SSL_CTX_set_max_early_data(void *, uint32_t)',
  SSL_read_early_data: 'int SSL_read_early_data(void *, void *, size_t, _Out_ size_t *)',
  SSL_get_servername: 'const char *SSL_get_servername(void *, int)',
};

let loading: Promise<LibsslServer | Unavailable> | undefined;

/** OpenSSL's functions for a server, or in words why they are not to be had. */
export function loadLibsslServer(): Promise<LibsslServer | Unavailable> {
  loading ??= load();
  return loading;
}

async function load(): Promise<LibsslServer | Unavailable> {
  const client = await loadLibssl();
  if ('unavailable' in client) return client;
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    const functions = Object.entries(DECLARATIONS).map(([name, declaration]) => [
      name,
      library.func(declaration),
    ]);
    const type = koffi.pointer(koffi.proto('int tsbt_accept_any(int, void *)'));
    const acceptAny = koffi.register(() => 1, type);
    return { ...client, ...Object.fromEntries(functions), acceptAny } as LibsslServer;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { unavailable: `OpenSSL cannot be a server here (optional dependency koffi): ${reason}` };
  }
}
