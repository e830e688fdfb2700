/** JWTs that clients sign with the same key for other ends: none of them is a Session-Binding Proof (RFC 8725 §2.8). */
import { randomUUID } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { dpopKeyOf, forgeDpopProof } from './dpop-proof.ts';
import { naturalAlgorithm } from './jws.ts';
import { forgeJwt } from './jwt.ts';
import type { JwtChange } from './jwt.ts';
import { ath } from './read.ts';

function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** A DPoP proof by a party's TLS key, for a request with an access token (RFC 9449 §4.2). */
export function dpopProof(
  basis: { readonly identity: Identity; readonly token: string; readonly htm: string; readonly htu: string },
  change?: JwtChange,
): string {
  const { identity, ...request } = basis;
  return forgeDpopProof({ key: dpopKeyOf(identity), ...request }, change);
}

/** A client assertion for a token endpoint (RFC 7523 §3). */
export function clientAssertion(
  basis: { readonly identity: Identity; readonly clientId: string; readonly audience: string },
  change?: JwtChange,
): string {
  const { identity, clientId, audience } = basis;
  const iat = now();
  return forgeJwt(
    {
      header: { typ: 'JWT', alg: undefined, 'x5t#S256': identity.thumbprint },
      claims: { iss: clientId, sub: clientId, aud: audience, jti: randomUUID(), iat, exp: iat + 60 },
      algorithm: naturalAlgorithm(identity.keyType),
      key: identity,
    },
    change,
  );
}

/** A token in the manner of a WIMSE Workload Proof Token (draft-ietf-wimse-wpt): `typ` `wpt+jwt`, audience and token hash. */
export function workloadProof(
  basis: { readonly identity: Identity; readonly token: string; readonly audience: string },
  change?: JwtChange,
): string {
  const { identity, token, audience } = basis;
  const iat = now();
  return forgeJwt(
    {
      header: { typ: 'wpt+jwt', alg: undefined },
      claims: { aud: audience, iat, exp: iat + 60, jti: randomUUID(), ath: ath(token) },
      algorithm: naturalAlgorithm(identity.keyType),
      key: identity,
    },
    change,
  );
}
