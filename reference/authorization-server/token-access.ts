import type { KoaContextWithOIDC } from 'oidc-provider';
import { CONFIRMATION } from '../proof/vocabulary.ts';
import type { ClientCertificate } from './client-certificate.ts';
import type { IssuedToken } from './issued-token.ts';

/** An authenticated client with the certificate of its connection. */
export interface Requester {
  readonly clientId: string;
  readonly certificate: ClientCertificate | undefined;
  readonly context: KoaContextWithOIDC;
}

/** Whether a client may exchange a token that it presents as `subject` or `actor`. */
export type MayExchange = (requester: Requester, token: IssuedToken, as: 'subject' | 'actor') => boolean;

/** Whether a client may learn what is known of a token. */
export type MayIntrospect = (clientId: string, token: IssuedToken) => boolean;

/**
 * Whether a token is the requester's own: a token that is bound to a certificate belongs to whoever proved to hold its
 * key in the handshake, and to nobody else, not even to another certificate of the client that it was issued to.
 */
function isHolder(
  { clientId, certificate }: Requester,
  { confirmation, clientId: issuedTo }: IssuedToken,
): boolean {
  const bound = confirmation[CONFIRMATION.certificate];
  return bound === undefined ? clientId === issuedTo : bound === certificate?.thumbprint;
}

/** A resource server is a client whose identifier is the resource that tokens are for. */
function isRecipient(clientId: string, { audience }: IssuedToken): boolean {
  return audience.includes(clientId);
}

/**
 * A subject token may be exchanged by its holder and by its intended recipient, an actor token by its holder alone,
 * since it stands for the requester itself. So a stolen token is worth nothing to a third party here either.
 *
 * Where draft -06 §4.6.1 (the recipient may exchange) and the threat T6 announced for -07 (possession of the key) seem
 * to differ, this takes either: read strictly, possession alone would let no chain go past its first hop.
 *
 * Source: draft -06 §4.6.1; RFC 8693 §1.1, §5.
 */
export const mayExchange: MayExchange = (requester, token, as) =>
  isHolder(requester, token) || (as === 'subject' && isRecipient(requester.clientId, token));

/**
 * Its recipient, and the client that it was issued to. The caller's certificate does not matter: a resource server has
 * another one than the token's holder.
 *
 * Source: RFC 7662 §4; draft -06 §3.4.
 */
export const mayIntrospect: MayIntrospect = (clientId, token) =>
  token.clientId === clientId || isRecipient(clientId, token);
