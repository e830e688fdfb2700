import type { LowLevelClient } from '../scenario/setting.ts';
import { loadOpenSslClient } from './openssl-client.ts';

/**
 * The TLS client for what `node:tls` has no call for: KeyUpdate, renegotiation with another certificate, early data,
 * post-handshake authentication. It needs the optional dependency koffi; without it the answer says why there is none.
 */
export async function lowLevelClient(): Promise<LowLevelClient | { readonly unavailable: string }> {
  return loadOpenSslClient();
}
