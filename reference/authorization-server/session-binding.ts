import { errors, type UnknownObject } from 'oidc-provider';
import { CONFIRMATION, EXPORTER_LABEL, PROOF_TYPE } from '../proof/vocabulary.ts';
import type { ClientCertificate } from './client-certificate.ts';
import type { Confirmation, Issuance, SessionBindingParts } from './parts.ts';

/** Client metadata: all access tokens of the client are session-bound (draft -06 §3.2, §7.2). */
export const SESSION_BOUND = 'tls_session_bound_access_tokens';

/** Whether a token with this `cnf` is session-bound. */
export function isSessionBound(confirmation: Readonly<Record<string, unknown>>): boolean {
  return Object.hasOwn(confirmation, CONFIRMATION.exporterLabel);
}

/**
 * The certificate that a token is bound to. One that no trust anchor vouches for counts only where it is itself what
 * authenticated the client (RFC 8705 §2.2).
 */
function authenticated({ certificate, client }: Issuance): ClientCertificate | undefined {
  if (client.clientAuthMethod === 'self_signed_tls_client_auth') return certificate;
  return certificate?.verified === true ? certificate : undefined;
}

/** Other members of `cnf`, such as `jkt`, stay (RFC 7800 §3.1). */
function withConfirmation(claims: UnknownObject, confirmation: Confirmation): UnknownObject {
  return { ...claims, cnf: Object.assign({}, claims['cnf'], confirmation) };
}

/** Session binding as the draft has it (draft -06 §2.4, §3.1, §3.2, §3.4, §4.6). */
export const defaultSessionBinding: SessionBindingParts = {
  metadata: { [SESSION_BOUND]: true },
  readClientMetadata(value = false) {
    if (typeof value === 'boolean') return value;
    throw new errors.InvalidClientMetadata(`${SESSION_BOUND} must be a boolean`);
  },
  isRequired: ({ client, inherited }) => client[SESSION_BOUND] === true || inherited,
  confirm(issuance) {
    const certificate = authenticated(issuance);
    if (certificate === undefined) {
      throw new errors.InvalidRequest(
        'a session-bound access token needs a client certificate that is trusted here',
      );
    }
    return {
      [CONFIRMATION.certificate]: certificate.thumbprint,
      [CONFIRMATION.exporterLabel]: EXPORTER_LABEL,
    };
  },
  isInherited: ({ subject, actor }) => subject || actor === true,
  tokenType: 'at+jwt',
  inToken: withConfirmation,
  inIntrospection: (response, confirmation) =>
    confirmation === undefined ? response : withConfirmation(response, confirmation),
  isAssertion: ({ typ }) => typ !== PROOF_TYPE,
};
