import type { Identity, KeyType } from '../../certs/identity.ts';
import type { UpstreamConnection } from '../../harness/counterpart/resource-server/contract.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { endAll } from './upstream.ts';

/** draft -06 Appendix C.2: how scenarios have a client's certificate replaced, and see that it is. */

/** What has to come from the identity that was presented on the connection. */
export const FIT = ['form', 'alg', 'thumbprint', 'signature', 'ekm'] as const;

/** A process gives no sign of when it has reloaded: so often it is looked again, at this distance. */
export const LOOKS = 25;
export const LOOK_MS = 40;

/** The certificate that replaces the client's own. */
export function renewed(stage: ClientStage, keyType: KeyType = stage.permutation.key): Promise<Identity> {
  return stage.setting.issue(stage.setting.pki.trusted, { name: `alice renewed (${keyType})`, keyType });
}

export function presents({ clientChain: [leaf] }: UpstreamConnection, { certificate }: Identity): boolean {
  return leaf?.toString().trim() === certificate.trim();
}

/** Has the client make new connections until one shows the certificate. */
export async function showsUp(stage: ClientStage, identity: Identity): Promise<boolean> {
  for (let look = 0; look < LOOKS; look++) {
    await endAll(stage);
    await stage.journey('a request on a new connection', { token: { boundTo: identity } });
    if (stage.connections.some((connection) => presents(connection, identity))) return true;
    await stage.elapse(LOOK_MS);
  }
  return false;
}
