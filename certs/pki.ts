import { createAuthority } from './authority.ts';
import { KEY_TYPES } from './identity.ts';
import type { Authority, Identity, KeyType } from './identity.ts';
import { issue } from './issue.ts';
import { generatePrivateKey, privateKeyPem } from './key-type.ts';

/** The suite's public-key infrastructure, as plain data that can cross a process boundary. */
export interface Pki {
  /** Issues the server's and the clients' certificates; the trust anchor that a target is given. */
  readonly trusted: Authority;
  /** An authority that no target trusts. */
  readonly stranger: Authority;
  /** The target's own certificate: DNS `localhost`, `rs.tsbt.test`, `host.docker.internal`, IP 127.0.0.1 and ::1; clientAuth too. */
  readonly server: Identity;
  /** The rightful client, once per key type. */
  readonly alice: Readonly<Record<KeyType, Identity>>;
  /** The attacker: a valid certificate (P-256) from the trusted authority. */
  readonly mallory: Identity;
}

/**
 * Makes a whole new PKI. The clients' keys are under way first, off the main thread, since an RSA key
 * takes longer than most of the rest.
 */
export async function createPki(): Promise<Pki> {
  const keys = new Map(KEY_TYPES.map((keyType) => [keyType, generatePrivateKey(keyType)]));
  const [trusted, stranger] = await Promise.all([
    createAuthority('tsbt CA'),
    createAuthority('tsbt stranger CA'),
  ]);
  const alice = async (keyType: KeyType): Promise<Identity> => {
    const key = await keys.get(keyType);
    return issue(trusted, { name: 'alice', keyType, ...(key && { key: privateKeyPem(key) }) });
  };
  const [p256, p384, p521, rsa, ed25519, mallory, server] = await Promise.all([
    alice('P-256'),
    alice('P-384'),
    alice('P-521'),
    alice('RSA'),
    alice('Ed25519'),
    issue(trusted, { name: 'mallory', keyType: 'P-256' }),
    issue(trusted, {
      name: 'server',
      keyType: 'P-256',
      subject: { CN: 'rs.tsbt.test' },
      // The last is the name by which a container calls the machine that it runs on.
      dns: ['localhost', 'rs.tsbt.test', 'host.docker.internal'],
      ip: ['127.0.0.1', '::1'],
      extendedKeyUsage: ['serverAuth', 'clientAuth'],
    }),
  ]);
  return {
    trusted,
    stranger,
    server,
    alice: { 'P-256': p256, 'P-384': p384, 'P-521': p521, RSA: rsa, Ed25519: ed25519 },
    mallory,
  };
}
