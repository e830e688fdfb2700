import type { Scenario } from '../harness/scenario/scenario.ts';
import { exporter } from './resource-server/exporter.ts';
import { forwardedFields } from './resource-server/forwarded-fields.ts';
import { certificateValidity } from './resource-server/certificate-validity.ts';
import { mutualTls } from './resource-server/mutual-tls.ts';
import { identityMatrix } from './resource-server/identity-matrix.ts';
import { resumption } from './resource-server/resumption.ts';
import { sharedSessions } from './resource-server/shared-sessions.ts';
import { thumbprints } from './resource-server/thumbprint.ts';
import { tlsProtocol } from './resource-server/tls-protocol.ts';
import { enforcement } from './resource-server/enforcement.ts';
import { perRequestClaims } from './resource-server/per-request-claims.ts';
import { resemblingValues } from './resource-server/resembling-values.ts';
import { unicodeNames } from './resource-server/unicode-names.ts';
import { memberNames } from './resource-server/member-names.ts';
import { numbers } from './resource-server/numbers.ts';
import { proofClaims } from './resource-server/proof-claims.ts';
import { proofField } from './resource-server/proof-field.ts';
import { proofIdentifier } from './resource-server/proof-identifier.ts';
import { identifierComparison } from './resource-server/identifier-comparison.ts';
import { identifierRetention } from './resource-server/identifier-retention.ts';
import { tokenPresentation } from './resource-server/token-presentation.ts';
import { tokenHash } from './resource-server/token-hash.ts';
import { joseHeader } from './resource-server/jose-header.ts';
import { algorithms } from './resource-server/algorithms.ts';
import { signature } from './resource-server/signature.ts';
import { oddValues } from './resource-server/odd-values.ts';
import { tokenConfusion } from './resource-server/token-confusion.ts';
import { identityFields } from './resource-server/identity-fields.ts';
import { hostileClaims } from './resource-server/hostile-claims.ts';
import { malformedProofs } from './resource-server/malformed-proofs.ts';
import { requestTargets } from './resource-server/request-targets.ts';
import { bypasses } from './resource-server/bypasses.ts';
import { extendedConnect } from './resource-server/extended-connect.ts';
import { nominatedFields } from './resource-server/nominated-fields.ts';
import { refusedBodies } from './resource-server/refused-bodies.ts';
import { takenOver } from './resource-server/taken-over.ts';
import { toldTargets } from './resource-server/told-targets.ts';
import { confirmation } from './resource-server/confirmation.ts';
import { confirmationClaim } from './resource-server/confirmation-claim.ts';
import { confirmationNames } from './resource-server/confirmation-names.ts';
import { introspection } from './resource-server/introspection.ts';
import { alikeTokens } from './resource-server/alike-tokens.ts';
import { dpopNonces } from './resource-server/dpop-nonces.ts';
import { tokenExpiry } from './resource-server/token-expiry.ts';
import { tokenValidity } from './resource-server/token-validity.ts';
import { errorResponses } from './resource-server/error-responses.ts';
import { refusalEffects } from './resource-server/refusal-effects.ts';
import { dpop } from './resource-server/dpop.ts';
import { dpopFields } from './resource-server/dpop-fields.ts';
import { dpopConfusion } from './resource-server/dpop-confusion.ts';
import { mechanisms } from './resource-server/mechanisms.ts';
import { bindingCache } from './resource-server/binding-cache.ts';
import { cachedOutcomes } from './resource-server/cached-outcomes.ts';
import { proofRenewal } from './resource-server/proof-renewal.ts';
import { intermediaries } from './resource-server/intermediaries.ts';
import { certificateRotation } from './resource-server/certificate-rotation.ts';
import { cost } from './resource-server/cost.ts';
import { steadiness } from './resource-server/steadiness.ts';
import { multiplexing } from './resource-server/multiplexing.ts';
import { revival } from './resource-server/revival.ts';
import { threats } from './resource-server/threats.ts';
import { connections as clientConnections } from './client/connections.ts';
import { confirmation as issuedConfirmation } from './authorization-server/confirmation.ts';
import { thumbprint as issuedThumbprint } from './authorization-server/thumbprint.ts';
import { reopenedConnections } from './authorization-server/reopened-connections.ts';
import { introspection as tokenIntrospection } from './authorization-server/introspection.ts';
import { clientMetadata } from './authorization-server/client-metadata.ts';
import { registration } from './authorization-server/registration.ts';
import { grants } from './authorization-server/grants.ts';
import { issuer } from './authorization-server/issuer.ts';
import { tokenExchange } from './authorization-server/token-exchange.ts';
import { exchangeProtocol } from './authorization-server/exchange-protocol.ts';
import { exchangeDpop } from './authorization-server/exchange-dpop.ts';
import { exchangeValidity } from './authorization-server/exchange-validity.ts';
import { exchangeLaundering } from './authorization-server/exchange-laundering.ts';
import { proofConfusion } from './authorization-server/proof-confusion.ts';
import { stolenTokens } from './authorization-server/stolen-tokens.ts';
import { chain } from './intermediary/chain.ts';
import { tokenRequest } from './intermediary/token-request.ts';
import { exporter as clientExporter } from './client/exporter.ts';
import { sharedSessions as clientSharedSessions } from './client/shared-sessions.ts';
import { tooEarly } from './client/too-early.ts';
import { connectionReuse } from './client/connection-reuse.ts';
import { resumedRotation } from './client/resumed-rotation.ts';
import { sidecarTrailers } from './client/sidecar-trailers.ts';
import { boundedAttempts } from './client/bounded-attempts.ts';
import { brokenResponses } from './client/broken-responses.ts';
import { mutualTls as clientMutualTls } from './client/mutual-tls.ts';
import { tokenReuse as clientTokenReuse } from './client/token-reuse.ts';
import { proofHeader } from './client/proof-header.ts';
import { proofSignature } from './client/proof-signature.ts';
import { proofClaims as clientProofClaims } from './client/proof-claims.ts';
import { perRequestClaims as clientPerRequestClaims } from './client/per-request-claims.ts';
import { proofField as clientProofField } from './client/proof-field.ts';
import { redirects } from './client/redirects.ts';
import { leaks } from './client/leaks.ts';
import { unboundTokens } from './client/unbound-tokens.ts';
import { amortisation } from './client/amortisation.ts';
import { challenges as clientChallenges } from './client/challenges.ts';
import { clientDpop } from './client/dpop.ts';
import { challengeSpellings } from './client/challenge-spellings.ts';
import { certificateRotation as clientCertificateRotation } from './client/certificate-rotation.ts';
import { repeatedPosts } from './client/repeated-posts.ts';
import { sidecar } from './client/sidecar.ts';
import { sidecarReach } from './client/sidecar-reach.ts';
import { sidecarSecrets } from './client/sidecar-secrets.ts';

/** Every scenario, in the order of the report: from the connection to the proof, the token, what is remembered, and the attacks. */
export const SCENARIOS: readonly Scenario[] = [
  ...steadiness,
  ...exporter,
  ...resumption,
  ...sharedSessions,
  ...tlsProtocol,
  ...mutualTls,
  ...certificateValidity,
  ...thumbprints,
  ...identityMatrix,
  ...proofField,
  ...tokenPresentation,
  ...enforcement,
  ...joseHeader,
  ...algorithms,
  ...signature,
  ...oddValues,
  ...tokenConfusion,
  ...malformedProofs,
  ...hostileClaims,
  ...requestTargets,
  ...bypasses,
  ...extendedConnect,
  ...nominatedFields,
  ...proofClaims,
  ...numbers,
  ...tokenHash,
  ...perRequestClaims,
  ...toldTargets,
  ...proofIdentifier,
  ...identifierComparison,
  ...identifierRetention,
  ...memberNames,
  ...unicodeNames,
  ...resemblingValues,
  ...confirmation,
  ...confirmationClaim,
  ...confirmationNames,
  ...introspection,
  ...alikeTokens,
  ...tokenExpiry,
  ...tokenValidity,
  ...mechanisms,
  ...dpop,
  ...dpopFields,
  ...dpopNonces,
  ...dpopConfusion,
  ...bindingCache,
  ...cachedOutcomes,
  ...takenOver,
  ...proofRenewal,
  ...revival,
  ...multiplexing,
  ...certificateRotation,
  ...errorResponses,
  ...refusalEffects,
  ...refusedBodies,
  ...forwardedFields,
  ...identityFields,
  ...threats,
  ...cost,
  ...intermediaries,
  ...clientExporter,
  ...clientConnections,
  ...clientSharedSessions,
  ...tooEarly,
  ...resumedRotation,
  ...connectionReuse,
  ...sidecarTrailers,
  ...boundedAttempts,
  ...brokenResponses,
  ...clientMutualTls,
  ...clientTokenReuse,
  ...proofHeader,
  ...proofSignature,
  ...clientProofClaims,
  ...clientPerRequestClaims,
  ...clientProofField,
  ...redirects,
  ...leaks,
  ...unboundTokens,
  ...amortisation,
  ...clientChallenges,
  ...challengeSpellings,
  ...repeatedPosts,
  ...clientCertificateRotation,
  ...clientDpop,
  ...sidecar,
  ...sidecarSecrets,
  ...sidecarReach,
  ...chain,
  ...tokenRequest,
  ...issuedConfirmation,
  ...issuedThumbprint,
  ...reopenedConnections,
  ...tokenIntrospection,
  ...clientMetadata,
  ...registration,
  ...grants,
  ...issuer,
  ...tokenExchange,
  ...exchangeProtocol,
  ...exchangeLaundering,
  ...exchangeValidity,
  ...exchangeDpop,
  ...proofConfusion,
  ...stolenTokens,
];
