import { SettingsError } from './settings.ts';

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use; stop what listens there or choose another port',
  EACCES: 'may not be listened on by this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'is not a known host',
};

/** In words what went wrong with the user's settings; any other error stays as it is. */
export function explained(
  error: unknown,
  { host, port }: { readonly host: string; readonly port: number },
): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  const code = String(error.code);
  const problem = LISTEN_PROBLEMS[code];
  if (problem !== undefined) return new SettingsError(`TSBT_LISTEN: ${host}:${port} ${problem}`);
  if (!/^ERR_(?:OSSL|SSL|TLS|CRYPTO)/.test(code)) return error;
  const files = 'TSBT_TLS_CERT_FILE, TSBT_TLS_KEY_FILE or TSBT_CLIENT_CA_FILE';
  return new SettingsError(`${files} is not usable: ${error.message}`);
}
