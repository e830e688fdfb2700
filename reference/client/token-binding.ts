import { type Confirmation, readConfirmation } from '../proof/confirmation.ts';

/**
 * What a token says that it is bound to, where it is a JWT. It is read to choose a connection, and nothing is believed
 * of it: the token's signature is the server's to verify.
 *
 * @returns `undefined` for an opaque token
 *
 * Source: draft -06 §2.4.
 */
export function confirmationOf(token: string): Confirmation | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return readConfirmation((claims as { cnf?: unknown } | null)?.cnf);
  } catch {
    return undefined;
  }
}

/** `x5t#S256` of the certificate that a token says it is bound to (RFC 8705 §3.1). */
export function boundThumbprint(token: string): string | undefined {
  const confirmation = confirmationOf(token);
  return confirmation !== undefined && 'thumbprint' in confirmation ? confirmation.thumbprint : undefined;
}
