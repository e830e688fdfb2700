import type { KoaContextWithOIDC } from 'oidc-provider';
import { CONFIRMATION } from '../proof/vocabulary.ts';
import type { ClientCertificate } from './client-certificate.ts';
import type { IssuedToken } from './issued-token.ts';

/** An authenticated client with the certificate of its connection. */
export interface Requester {
  readonly clientId: string;
  readonly certificate: ClientCertificate | undefined;
  /** Thumbprint of the key that the request proves by DPoP (RFC 9449 §5). */
  readonly dpopKey: string | undefined;
  readonly context: KoaContextWithOIDC;
}

/** Whether a client may exchange a token that it presents as `subject` or `actor`. */
export type MayExchange = (requester: Requester, token: IssuedToken, as: 'subject' | 'actor') => boolean;

/** Whether a client may learn what is known of a token. */
export type MayIntrospect = (clientId: string, token: IssuedToken) => boolean;

/** The member of `cnf` that names a DPoP key (RFC 9449 §6.1). */
export const DPOP_KEY = 'jkt';

/**
 * Whether a token is the requester's own: a token that is bound to a certificate belongs to whoever proved to hold its
 * key in the handshake, and to nobody else, not even to another certificate of the client that it was issued to. The same
 * goes for the DPoP key that it is bound to.
 */
function isHolder(
  { clientId, certificate, dpopKey }: Requester,
  { confirmation, clientId: issuedTo }: IssuedToken,
): boolean {
  const key = confirmation[DPOP_KEY];
  if (key !== undefined && key !== dpopKey) return false;
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

/** Whether a successor is bound to a certificate, by RFC 8705 or to TLS sessions. */
export interface SuccessorBinding {
  readonly certificate: boolean;
}

/** Whether the successor of an exchange may be bound to no DPoP key, given the tokens that are exchanged for it. */
export type NeedsNoKey = (exchanged: readonly IssuedToken[], successor: SuccessorBinding) => boolean;

/**
 * A token that is bound to a DPoP key has no successor that anybody can use: another recipient has another key, but none
 * has none.
 *
 * Source: draft -06 §3.2, §4.2; RFC 9449 §1.
 */
export const needsNoKey: NeedsNoKey = (exchanged, { certificate }) =>
  certificate || !exchanged.some(({ confirmation }) => Object.hasOwn(confirmation, DPOP_KEY));
