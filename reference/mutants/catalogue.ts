import type { Mutant } from './mutant.ts';
import { exporterMutants } from './exporter.ts';
import { forwardedFieldsMutants } from './forwarded-fields.ts';
import { mutualTlsMutants } from './mutual-tls.ts';
import { certificateLookupMutants } from './certificate-lookup.ts';
import { sharedSessionsMutants } from './shared-sessions.ts';
import { tlsProtocolMutants } from './tls-protocol.ts';
import { joseMutants } from './jose.ts';
import { malformedMutants } from './malformed.ts';
import { resemblingValuesMutants } from './resembling-values.ts';
import { memberNamesMutants } from './member-names.ts';
import { identifiersMutants } from './identifiers.ts';
import { noncesMutants } from './nonces.ts';
import { perRequestClaimsMutants } from './per-request-claims.ts';
import { proofClaimsMutants } from './proof-claims.ts';
import { numbersMutants } from './numbers.ts';
import { oddValuesMutants } from './odd-values.ts';
import { proofFieldMutants } from './proof-field.ts';
import { requestTargetsMutants } from './request-targets.ts';
import { pathSpellingsMutants } from './path-spellings.ts';
import { hostNamesMutants } from './host-names.ts';
import { extendedConnectMutants } from './extended-connect.ts';
import { nominatedFieldsMutants } from './nominated-fields.ts';
import { refusedBodiesMutants } from './refused-bodies.ts';
import { earlyAnswersMutants } from './early-answers.ts';
import { sessionsMutants } from './sessions.ts';
import { toldTargetsMutants } from './told-targets.ts';
import { tokenHashMutants } from './token-hash.ts';
import { confirmationMutants } from './confirmation.ts';
import { introspectionMutants } from './introspection.ts';
import { tokenValidityMutants } from './token-validity.ts';
import { errorResponsesMutants } from './error-responses.ts';
import { dpopMutants } from './dpop.ts';
import { dpopFieldsMutants } from './dpop-fields.ts';
import { mechanismsMutants } from './mechanisms.ts';
import { bindingCacheMutants } from './binding-cache.ts';
import { revivalMutants } from './revival.ts';
import { multiplexingMutants } from './multiplexing.ts';
import { steadinessMutants } from './steadiness.ts';
import { threatsMutants } from './threats.ts';
import { choiceOfTokenMutants } from './choice-of-token.ts';
import { signatureMutants } from './signature.ts';

/** Every mutant of the resource server. */
export const MUTANTS: readonly Mutant[] = [
  ...tokenHashMutants,
  ...proofFieldMutants,
  ...proofClaimsMutants,
  ...numbersMutants,
  ...oddValuesMutants,
  ...perRequestClaimsMutants,
  ...identifiersMutants,
  ...exporterMutants,
  ...sharedSessionsMutants,
  ...tlsProtocolMutants,
  ...mutualTlsMutants,
  ...certificateLookupMutants,
  ...forwardedFieldsMutants,
  ...joseMutants,
  ...signatureMutants,
  ...malformedMutants,
  ...requestTargetsMutants,
  ...pathSpellingsMutants,
  ...hostNamesMutants,
  ...extendedConnectMutants,
  ...nominatedFieldsMutants,
  ...toldTargetsMutants,
  ...refusedBodiesMutants,
  ...memberNamesMutants,
  ...resemblingValuesMutants,
  ...confirmationMutants,
  ...introspectionMutants,
  ...tokenValidityMutants,
  ...errorResponsesMutants,
  ...mechanismsMutants,
  ...dpopMutants,
  ...dpopFieldsMutants,
  ...noncesMutants,
  ...bindingCacheMutants,
  ...sessionsMutants,
  ...earlyAnswersMutants,
  ...revivalMutants,
  ...multiplexingMutants,
  ...steadinessMutants,
  ...threatsMutants,
  ...choiceOfTokenMutants,
];
