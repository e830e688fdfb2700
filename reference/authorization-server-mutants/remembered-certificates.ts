import type { KoaContextWithOIDC } from 'oidc-provider';
import { type ClientCertificate, certificateOf } from '../authorization-server/client-certificate.ts';
import { withParts } from './making.ts';
import type { AuthorizationServerMutant } from './mutant.ts';

/**
 * The reference that keeps certificates by address and port, and does not notice when a connection ends.
 *
 * @param choose between the one that is kept and the connection's own
 */
function keeping(
  choose: (
    kept: ClientCertificate | undefined,
    own: ClientCertificate | undefined,
  ) => ClientCertificate | undefined,
) {
  const certificates = new Map<string, ClientCertificate>();
  return withParts({
    certificateOf(context: KoaContextWithOIDC) {
      const { remoteAddress, remotePort } = context.req.socket;
      const peer = `${remoteAddress} ${remotePort}`;
      const certificate = choose(certificates.get(peer), certificateOf(context));
      if (certificate !== undefined) certificates.set(peer, certificate);
      return certificate;
    },
  });
}

/** Mistakes with what is remembered of a connection (draft -06 §3.1 step 1). */
export const rememberedCertificateMutants: readonly AuthorizationServerMutant[] = [
  {
    id: 'M-AS-310',
    mistake: 'remembers the certificate of a connection by its address and port, also when it has ended',
    breaks: ['AS-CNF-3'],
    variant: () => keeping((kept, own) => kept ?? own),
  },
  {
    id: 'M-AS-311',
    mistake: 'takes the certificate last seen at an address and port where a connection has none',
    breaks: ['AS-CNF-3'],
    variant: () => keeping((kept, own) => own ?? kept),
  },
];
