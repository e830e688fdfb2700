import { Checks } from '../proof/checks.ts';
import type { DpopVerification } from '../dpop/verify.ts';
import { type Confirmation, dpopKeyOf } from '../proof/confirmation.ts';
import { accessTokenHash } from '../proof/encoding.ts';
import { isPerRequest } from '../proof/verify.ts';
import { CLAIM } from '../proof/vocabulary.ts';
import type { TlsConnection } from './connection.ts';
import { checkDpopIdentifier, checkDpopProof, checkScheme, verifyDpopOf } from './dpop-admission.ts';
import type { HttpRequest } from './http-message.ts';
import type { ResourceServerParts } from './parts.ts';
import { invalidProof, invalidToken, missingProof, type Refusal } from './refusal.ts';
import type { Grant } from './token.ts';

/** A request with a valid token, before it is known whether its sender may use that token. */
export interface Presentation {
  readonly request: HttpRequest;
  /** Object that stands for the connection; see {@link ResourceServerParts.connectionKeyOf}. */
  readonly key: object;
  readonly connection: TlsConnection;
  readonly token: string;
  readonly tokenHash: string;
  readonly grant: Grant;
  readonly confirmation: Confirmation;
  readonly proofs: readonly string[];
  /** What came of the DPoP proof; `undefined` where the token is bound to no DPoP key, and none was looked at. */
  readonly dpop: DpopVerification | undefined;
  /** Seconds since 1970-01-01 UTC. */
  readonly now: number;
}

export type PresentationCheckName =
  | 'confirmation'
  | 'binding-required'
  | 'scheme'
  | 'certificate'
  | 'certificate-thumbprint'
  | 'exporter-trusted'
  | 'proof-present'
  | 'single-proof'
  | 'dpop-proof'
  | 'proof'
  | 'dpop-identifier';

export type PresentationCheck = (
  presentation: Presentation,
  parts: ResourceServerParts,
) => Refusal | undefined;

export type Decision =
  | { readonly admitted: true; readonly grant: Grant }
  | { readonly admitted: false; readonly refusal: Refusal };

function checkConfirmation({ confirmation }: Presentation) {
  return confirmation.kind === 'unusable' ? invalidToken(confirmation.description) : undefined;
}

function checkBindingRequired({ confirmation }: Presentation, { requireBinding }: ResourceServerParts) {
  if (!requireBinding || confirmation.kind === 'session') return undefined;
  return invalidToken('only access tokens that are bound to TLS sessions are accepted here');
}

/** Dates are looked at for each request: a session may be resumed after its certificate has expired. */
function checkCertificate({ confirmation, connection, now }: Presentation) {
  if (confirmation.kind === 'none' || confirmation.kind === 'key') return undefined;
  const { certificate } = connection;
  if (certificate === undefined) return invalidToken('the connection has no client certificate');
  if (!certificate.verified) return invalidToken('the client certificate could not be verified');
  const time = now * 1000;
  if (time >= certificate.notBefore && time <= certificate.notAfter) return undefined;
  return invalidToken('the client certificate is not valid at this time');
}

function checkCertificateThumbprint({ confirmation, connection }: Presentation) {
  if (confirmation.kind !== 'certificate' && confirmation.kind !== 'session') return undefined;
  if (confirmation.thumbprint === connection.certificate?.thumbprint) return undefined;
  return invalidToken('the access token is bound to another client certificate');
}

function checkExporterTrusted({ confirmation, connection }: Presentation) {
  if (confirmation.kind !== 'session' || connection.exporterTrusted) return undefined;
  return invalidToken('this TLS connection has no extended master secret, and no token can be bound to it');
}

function checkProofPresent({ confirmation, proofs }: Presentation) {
  return confirmation.kind === 'session' && proofs.length === 0 ? missingProof() : undefined;
}

function checkSingleProof({ confirmation, proofs }: Presentation) {
  if (confirmation.kind !== 'session') return undefined;
  if (proofs.length === 1 && proofs[0]?.includes(',') === false) return undefined;
  return invalidProof({ code: 'not-compact', step: 'd', description: 'there is more than one proof' });
}

/**
 * Steps 5e to 5i. A proof that was verified before for this token on this connection is taken
 * as verified only if it is the very same text, speaks of no single request and cannot expire.
 */
function checkProof(presentation: Presentation, parts: ResourceServerParts) {
  const { confirmation, connection, key, token, tokenHash, grant, now, request } = presentation;
  if (confirmation.kind !== 'session' || connection.certificate === undefined) return undefined;
  const proof = presentation.proofs[0] ?? '';
  if (parts.bindings.get(key, tokenHash) === proof) return undefined;
  const result = parts.verifyProof({
    proof,
    token,
    exporter: connection.exporter,
    certificate: connection.certificate,
    request: { method: request.method ?? '', ...parts.targetOf(request) },
    now,
    claimIdentifier: (jti) => parts.identifiers.claim(tokenHash, jti, grant.expiresAt, now),
  });
  if (!result.holds) return invalidProof(result.defect);
  const expires = Object.hasOwn(result.proof.claims, CLAIM.expires);
  if (!isPerRequest(result.proof) && !expires) parts.bindings.set(key, tokenHash, proof);
  return undefined;
}

/** What is asked of a presented token, in order (draft -06 §3.3.2 step 5). */
export const defaultPresentationChecks = new Checks<PresentationCheckName, PresentationCheck>([
  { name: 'confirmation', section: 'draft -06 §2.4, RFC 7800 §3.1', run: checkConfirmation },
  { name: 'binding-required', section: 'draft -06 §3.3.2 step 5d', run: checkBindingRequired },
  { name: 'scheme', section: 'RFC 9449 §7.1, §7.2', run: checkScheme },
  { name: 'certificate', section: 'draft -06 §3.3.2 step 5a', run: checkCertificate },
  { name: 'certificate-thumbprint', section: 'draft -06 §3.3.2 step 5c', run: checkCertificateThumbprint },
  { name: 'exporter-trusted', section: 'RFC 7627 §5.4', run: checkExporterTrusted },
  { name: 'proof-present', section: 'draft -06 §3.3.2 step 5d', run: checkProofPresent },
  { name: 'single-proof', section: 'draft -06 §3.3.2 step 5d', run: checkSingleProof },
  { name: 'dpop-proof', section: 'RFC 9449 §7.1, draft -06 §4.2', run: checkDpopProof },
  { name: 'proof', section: 'draft -06 §3.3.2 steps 5e-5i', run: checkProof },
  { name: 'dpop-identifier', section: 'RFC 9449 §11.1', run: checkDpopIdentifier },
]);

function refused(refusal: Refusal): Decision {
  return { admitted: false, refusal };
}

/**
 * Decides whether a request is served. The connection is read before anything is awaited, since its
 * exporter value is gone once it closes; once token and DPoP proof are verified nothing is awaited
 * until the decision, so that two requests cannot both claim one `jti`.
 */
export async function admit(request: HttpRequest, parts: ResourceServerParts): Promise<Decision> {
  const key = parts.connectionKeyOf(request);
  const connection = key === undefined ? undefined : parts.connections.read(request, key);
  if (key === undefined || connection === undefined) {
    return refused(invalidToken('the request did not arrive over TLS'));
  }
  const token = parts.tokenOf(request);
  if (typeof token !== 'string') return refused(token);
  const validation = parts.validateToken(token, parts.clock());
  const grant = validation instanceof Promise ? await validation : validation;
  if (grant === undefined) return refused(invalidToken('the access token is not valid'));
  const confirmation = parts.readConfirmation(grant.confirmation);
  const dpop = dpopKeyOf(confirmation) === undefined ? undefined : await verifyDpopOf(request, token, parts);
  const presentation: Presentation = {
    request,
    key,
    connection,
    token,
    tokenHash: accessTokenHash(token),
    grant,
    confirmation,
    proofs: parts.proofsOf(request),
    dpop,
    now: parts.clock(),
  };
  for (const { run } of parts.checks.entries) {
    const refusal = run(presentation, parts);
    if (refusal !== undefined) return refused(refusal);
  }
  const scope = parts.requiredScope(request);
  if (scope !== undefined && !grant.scopes.includes(scope)) return refused(parts.insufficientScope(scope));
  return { admitted: true, grant };
}
