import { createHash, createPublicKey } from 'node:crypto';
import { generatePrivateKey, privateKeyPem } from './key-type.ts';

/** The suite's issuer of access tokens, as plain data that can cross a process boundary. */
export interface TokenIssuer {
  /** Issuer identifier (RFC 8414 §2), the `iss` of its tokens. */
  readonly issuer: string;
  /** The `aud` of its tokens: the resource server under test. */
  readonly audience: string;
  /** P-256 key in PKCS#8 PEM; tokens are signed with ES256. */
  readonly privateKey: string;
  /** The key's identifier in the JWK Set: its RFC 7638 thumbprint. */
  readonly kid: string;
}

/** The public half of an issuer's key, as a JWK. */
export interface IssuerKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'ES256';
}

/** Makes an issuer with a new key. */
export async function createTokenIssuer(): Promise<TokenIssuer> {
  const privateKey = privateKeyPem(await generatePrivateKey('P-256'));
  const { x, y } = coordinates(privateKey);
  const kid = createHash('sha256')
    .update(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`)
    .digest('base64url');
  return { issuer: 'https://as.tsbt.test', audience: 'https://rs.tsbt.test', privateKey, kid };
}

/** The issuer's JWK Set (RFC 7517 §5), public keys only. */
export function jwks(issuer: Pick<TokenIssuer, 'privateKey' | 'kid'>): {
  readonly keys: readonly IssuerKey[];
} {
  const { x, y } = coordinates(issuer.privateKey);
  return { keys: [{ kty: 'EC', crv: 'P-256', x, y, kid: issuer.kid, use: 'sig', alg: 'ES256' }] };
}

function coordinates(privateKey: string): { readonly x: string; readonly y: string } {
  const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (x === undefined || y === undefined) throw new TypeError('privateKey: not an elliptic curve key');
  return { x, y };
}
