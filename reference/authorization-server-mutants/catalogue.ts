import { admissionMutants } from './admission.ts';
import { confirmationMutants } from './confirmation.ts';
import { dpopMutants } from './dpop.ts';
import { exchangeMutants } from './exchange.ts';
import { introspectionMutants } from './introspection.ts';
import { issuingMutants } from './issuing.ts';
import type { AuthorizationServerMutant } from './mutant.ts';
import { mistakenTokenMutants } from './mistaken-tokens.ts';
import { rememberedCertificateMutants } from './remembered-certificates.ts';
import { trustMutants } from './trust.ts';
import { validityMutants } from './validity.ts';

/** Every mutant of the authorization server. */
export const MUTANTS: readonly AuthorizationServerMutant[] = [
  ...confirmationMutants,
  ...rememberedCertificateMutants,
  ...issuingMutants,
  ...introspectionMutants,
  ...exchangeMutants,
  ...admissionMutants,
  ...trustMutants,
  ...mistakenTokenMutants,
  ...dpopMutants,
  ...validityMutants,
];
