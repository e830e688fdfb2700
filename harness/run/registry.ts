import { randomBytes } from 'node:crypto';
import { issue } from '../../certs/issue.ts';
import { selfSigned } from '../../certs/self-signed.ts';
import type { Store } from '../../certs/store.ts';
import type { Registry } from '../scenario/authorization-server/registered-clients.ts';

/** Makes the certificates and the secret of the clients that an authorization server under test is to know. */
export async function createRegistry({
  trusted,
  stranger,
  alice,
  mallory,
  tokenIssuer,
}: Store): Promise<Registry> {
  const identity = alice['P-256'];
  const [renewed, hop, resource, own, unknown] = await Promise.all([
    issue(trusted, { name: identity.name, keyType: 'P-256', key: identity.privateKey, intermediates: 1 }),
    issue(trusted, { name: 'hop', keyType: 'P-256' }),
    issue(trusted, { name: 'resource', keyType: 'P-256' }),
    selfSigned('own'),
    issue(stranger, { name: identity.name, keyType: 'P-256' }),
  ]);
  return {
    audience: tokenIssuer.audience,
    opaqueAudience: 'https://opaque.tsbt.test',
    shortLivedAudience: 'https://brief.tsbt.test',
    hop: 'https://hop.tsbt.test',
    secret: randomBytes(24).toString('base64url'),
    identities: { alice: identity, renewed, hop, resource, mallory, own, stranger: unknown },
  };
}
