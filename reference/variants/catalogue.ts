import { bindingVariants } from './bindings.ts';
import { dpopVariants } from './dpop.ts';
import { identifierVariants } from './identifiers.ts';
import { extendedConnectVariants } from './extended-connect.ts';
import { nominatedFieldsVariants } from './nominated-fields.ts';
import { limitVariants } from './limits.ts';
import { proofVariants } from './proofs.ts';
import { responseVariants } from './responses.ts';
import { routingVariants } from './routing.ts';
import { sessionsVariants } from './sessions.ts';
import { transportVariants } from './transport.ts';
import { strictLimitVariants } from './strict-limits.ts';
import type { Variant } from './variant.ts';

/** Every harmless variant of the resource server. */
export const VARIANTS: readonly Variant[] = [
  ...bindingVariants,
  ...dpopVariants,
  ...proofVariants,
  ...identifierVariants,
  ...transportVariants,
  ...limitVariants,
  ...strictLimitVariants,
  ...responseVariants,
  ...routingVariants,
  ...sessionsVariants,
  ...extendedConnectVariants,
  ...nominatedFieldsVariants,
];
