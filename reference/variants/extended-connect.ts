import { offeringConnect } from '../mutants/extended-connect.ts';
import type { Variant } from './variant.ts';

/** Freedom with extended CONNECT. */
export const extendedConnectVariants: readonly Variant[] = [
  {
    id: 'V-RS-connect',
    difference: 'offers extended CONNECT, and verifies it as every other request',
    also: ['TLSv1.3 h2 P-256'],
    variant: () => ({ server: (material, listener) => offeringConnect(material, listener, listener) }),
  },
];
