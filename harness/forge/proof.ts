import { randomUUID } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { naturalAlgorithm } from './jws.ts';
import { forgeJwt } from './jwt.ts';
import type { JwtChange } from './jwt.ts';
import { ath, base64url } from './read.ts';

/** What a Session-Binding Proof is about. */
export interface ProofBasis {
  /** The access token as it stands in the request. */
  readonly token: string;
  /** The exporter value of the connection, 32 octets. */
  readonly ekm: Buffer;
  /** The connection's client certificate and key. */
  readonly identity: Identity;
  /** Seconds since 1970; default: the clock. */
  readonly now?: number;
}

/** How a proof differs from the right one. */
export type ProofChange = JwtChange;

/** The `typ` of a Session-Binding Proof (draft -06 §2.3.1). */
const PROOF_TYPE = 'tls-binding-proof+jwt';

/**
 * Builds a Session-Binding Proof (draft -06 §2.3): header `typ`, `alg`, `x5t#S256`; claims `ath`, `ekm`,
 * `iat`; signed with the client certificate's key. Right but for the change.
 */
export function forgeProof(basis: ProofBasis, change?: ProofChange): string {
  const { identity } = basis;
  return forgeJwt(
    {
      header: { typ: PROOF_TYPE, alg: undefined, 'x5t#S256': identity.thumbprint },
      claims: {
        ath: ath(basis.token),
        ekm: base64url(basis.ekm),
        iat: basis.now ?? Math.floor(Date.now() / 1000),
      },
      algorithm: naturalAlgorithm(identity.keyType),
      key: identity,
    },
    change,
  );
}

/** The claims that tie a proof to one request (draft -06 §2.3.2.2), with a fresh `jti`; for {@link ProofChange.claims}. */
export function perRequest(request: { readonly htm: string; readonly htu: string }): {
  readonly jti: string;
  readonly htm: string;
  readonly htu: string;
} {
  return { jti: randomUUID(), htm: request.htm, htu: request.htu };
}
