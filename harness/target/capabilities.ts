/** What a target may claim to support, with what the claim means. Nothing that the draft demands of everyone stands here. */
const CAPABILITIES = {
  'tls1.2': 'accepts TLS 1.2 (with the extended master secret, RFC 7627)',
  'tls1.3': 'accepts TLS 1.3',
  'http/1.1': 'speaks HTTP/1.1',
  h2: 'speaks HTTP/2, negotiated by ALPN',
  'per-request-claims': 'understands jti, htm and htu in a proof',
  introspection: 'asks an RFC 7662 endpoint about tokens that are not JWTs; an authorization server: is one',
  dpop: 'accepts DPoP-bound tokens (RFC 9449) beside session-bound ones',
  'binding-required': 'refuses every token without cnf.tls_exp',
  echo: 'answers 2xx with JSON that has the token’s sub',
  scoped: 'asks for the scope tsbt.scoped under <protected>/scoped',
  counter: 'counts POSTs at <protected>/counter',
  registration: 'registers clients (RFC 7591)',
  'token-exchange': 'exchanges tokens (RFC 8693)',
  'opaque-tokens': 'issues opaque access tokens for the resource in TSBT_OPAQUE_AUDIENCE',
  'short-lived-tokens':
    'issues access tokens that are valid for five seconds at most for the resource in TSBT_SHORT_LIVED_AUDIENCE',
  'refresh-tokens': 'issues refresh tokens with token exchange to clients that are registered for them',
  'certificate-rotation': 'reloads its certificate and key files on SIGHUP',
  sidecar: 'a client that keeps its agents at arm’s length, as the draft’s Appendix B.4 asks of sidecars',
} as const;

export type Capability = keyof typeof CAPABILITIES;

/** Every capability's name. */
export const CAPABILITY_NAMES = Object.keys(CAPABILITIES) as readonly Capability[];

/** What a target that lists no capabilities is taken to support. */
export const DEFAULT_CAPABILITIES: readonly Capability[] = ['tls1.3', 'http/1.1'];
