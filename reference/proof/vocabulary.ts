/**
 * Every name that the draft and the RFCs beneath it give to things on the wire. The rest of the
 * reference uses these constants, so that a name is right or wrong in one place.
 */

/** TLS exporter label, and the value of the confirmation member `tls_exp` (draft -06 §2.2, §2.4). */
export const EXPORTER_LABEL = 'EXPORTER-oauth-tls-session-bound';
/** Octets of exporter output that a proof carries (draft -06 §2.2). */
export const EXPORTER_LENGTH = 32;

/** JOSE `typ` of a proof (draft -06 §2.3.1). */
export const PROOF_TYPE = 'tls-binding-proof+jwt';
/** HTTP field that carries a proof (draft -06 §3.3.1). */
export const PROOF_FIELD = 'Session-Binding-Proof';
/** {@link PROOF_FIELD} as HTTP/2 and case-insensitive comparison want it. */
export const PROOF_FIELD_LOWER = 'session-binding-proof';

/** Claims of a proof (draft -06 §2.3.2); `exp` and `nbf` are RFC 7519's. */
export const CLAIM = {
  tokenHash: 'ath',
  exporter: 'ekm',
  issuedAt: 'iat',
  identifier: 'jti',
  method: 'htm',
  target: 'htu',
  expires: 'exp',
  notBefore: 'nbf',
} as const;

/** Members of a token's `cnf` claim (draft -06 §2.4, RFC 8705 §3.1, RFC 9449 §6.1). */
export const CONFIRMATION = {
  exporterLabel: 'tls_exp',
  certificate: 'x5t#S256',
  dpopKey: 'jkt',
} as const;

/** JOSE header parameters that matter to a proof (draft -06 §2.3.1, RFC 7515 §4.1, RFC 7797 §3). */
export const HEADER = {
  type: 'typ',
  algorithm: 'alg',
  certificate: 'x5t#S256',
  critical: 'crit',
  encodedPayload: 'b64',
} as const;

/** Values of the challenge's `error` attribute (draft -06 §3.5, RFC 6750 §3.1, RFC 9449 §7.1). */
export type ErrorCode =
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'use_session_binding'
  | 'invalid_proof'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_request';

export const ERROR = {
  /** The token demands a proof and none was sent. */
  useSessionBinding: 'use_session_binding',
  /** A proof was sent and does not hold. */
  invalidProof: 'invalid_proof',
  invalidToken: 'invalid_token',
  insufficientScope: 'insufficient_scope',
  invalidRequest: 'invalid_request',
} as const satisfies Record<string, ErrorCode>;
