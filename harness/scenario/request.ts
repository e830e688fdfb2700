import type { Identity } from '../../certs/identity.ts';
import type { DpopKey } from '../forge/dpop-proof.ts';
import type { JwtChange } from '../forge/jwt.ts';
import type { ProofChange } from '../forge/proof.ts';
import type { Token, TokenRequest } from '../forge/token.ts';
import type { ConnectOptions, Connection, Field } from '../wire/connection.ts';
import type { Cause } from './cause.ts';
import type { Expectation } from './expectation.ts';

/** How a minted token differs from the right one, which is bound to the rightful client's certificate. */
export interface TokenPlan extends Partial<TokenRequest> {
  /** An opaque token, resolved by introspection, with the same claims in the response; a string is the token itself. */
  readonly opaque?: boolean | string;
}

/** How a proof differs from the right one for this token on this connection. */
export interface ProofPlan extends ProofChange {
  /** `ath` is made for this token instead of the one that is sent. */
  readonly forToken?: Token;
  /** `ekm` is this connection's instead of the one that the request goes out on. */
  readonly forConnection?: Connection;
  /** The `ekm` claim, worked out for the connection that the request goes out on and the token that is sent. */
  readonly ekm?: (connection: Connection, token: Token) => unknown;
  /** The `ath` claim, worked out for the token that is sent. */
  readonly ath?: (token: Token) => unknown;
  /** Made by this identity instead of the connection's: its key signs, its thumbprint stands in the header. */
  readonly by?: Identity;
}

/** How a DPoP proof differs from the right one for this token and this request (RFC 9449 §4.2). */
export interface DpopPlan extends JwtChange {
  /** Made by this key instead of the rightful client's: it signs, and stands in the header. */
  readonly by?: DpopKey;
  /** `ath` is made for this token instead of the one that is sent. */
  readonly forToken?: Token;
  /** The fields that carry it. Default: one `DPoP` field. */
  readonly carriage?: (proof: string) => readonly Field[];
}

/**
 * A request, told by how it differs from the right one: `GET` of the protected path with a fresh
 * session-bound token and a right proof made for it on the connection.
 */
export interface RequestPlan {
  readonly method?: string;
  /** Path with optional query. Default: the target's protected path. */
  readonly path?: string;
  readonly authority?: string;
  /** Further fields. */
  readonly fields?: readonly Field[];
  readonly body?: string;
  readonly trailers?: readonly Field[];
  readonly version?: 'HTTP/1.0' | 'HTTP/1.1';
  /** HTTP/2: makes it an extended CONNECT for this protocol (RFC 8441 §4). */
  readonly protocol?: string;
  /** A token as it is, a difference from the right one, or none. */
  readonly token?: Token | TokenPlan | null;
  /** The fields that carry the token. Default: `Authorization: Bearer <token>`. */
  readonly authorization?: (token: string) => readonly Field[];
  /** A difference from the right proof, the field's values as they are, or none. */
  readonly proof?: ProofPlan | string | readonly string[] | null;
  /** The fields that carry the proof. Default: one `Session-Binding-Proof` field per value. */
  readonly carriage?: (proof: string) => readonly Field[];
  /** A DPoP proof, told by its difference from the right one, the field's values as they are, or none, which is the default. */
  readonly dpop?: DpopPlan | string | readonly string[] | null;
}

/** A connection, told by how it differs from the scenario's usual one. */
export type ConnectPlan = Partial<Omit<ConnectOptions, 'host' | 'port'>>;

/** A request that differs from the control in just what is declared. */
export interface Variation {
  /** What is different, in words: the row's name in the report. */
  readonly what: string;
  readonly change?: RequestPlan;
  /** Sent on a connection that differs in this. */
  readonly connect?: ConnectPlan;
  /** Sent on this very connection. */
  readonly on?: Connection;
  /**
   * The fields in which the request differs from the control, as `describe` names them. Default: what
   * follows from `change`. The engine computes the real difference and refuses to judge when it is another.
   */
  readonly differs?: readonly string[];
  readonly expect?: Expectation;
  /** What it means when this one is served: the likely mistake and its cure; for another outcome, keyed by it. `null`: not known. */
  readonly cause?: Cause | null;
}

/** Combines two plans; the second one's members win, those of token and proofs are combined one level deeper. */
export function combine(base: RequestPlan, change: RequestPlan): RequestPlan {
  const fields = [...(base.fields ?? []), ...(change.fields ?? [])];
  return {
    ...base,
    ...change,
    ...(fields.length > 0 ? { fields } : {}),
    ...(isTokenPlan(base.token) && isTokenPlan(change.token)
      ? { token: combineTokens(base.token, change.token) }
      : {}),
    ...(isProofPlan(base.proof) && isProofPlan(change.proof)
      ? { proof: combineProofs(base.proof, change.proof) }
      : {}),
    ...(isDpopPlan(base.dpop) && isDpopPlan(change.dpop)
      ? { dpop: combineProofs(base.dpop, change.dpop) }
      : {}),
  };
}

export function isToken(token: RequestPlan['token']): token is Token {
  return token !== undefined && token !== null && 'sha256' in token;
}

function isTokenPlan(token: RequestPlan['token']): token is TokenPlan {
  return token !== undefined && token !== null && !('sha256' in token);
}

function isProofPlan(proof: RequestPlan['proof']): proof is ProofPlan {
  return typeof proof === 'object' && proof !== null && !Array.isArray(proof);
}

/** Whether a DPoP proof is told by its difference from the right one. */
export function isDpopPlan(dpop: RequestPlan['dpop']): dpop is DpopPlan {
  return typeof dpop === 'object' && dpop !== null && !Array.isArray(dpop);
}

function combineTokens(base: TokenPlan, change: TokenPlan): TokenPlan {
  return {
    ...base,
    ...change,
    ...(base.claims && change.claims ? { claims: { ...base.claims, ...change.claims } } : {}),
    ...(base.header && change.header ? { header: { ...base.header, ...change.header } } : {}),
  };
}

function combineProofs<Plan extends JwtChange>(base: Plan, change: Plan): Plan {
  return {
    ...base,
    ...change,
    ...(base.claims && change.claims ? { claims: { ...base.claims, ...change.claims } } : {}),
    ...(base.header && change.header ? { header: { ...base.header, ...change.header } } : {}),
  };
}

/** The fields of the description that a variation's change is expected to touch. */
export function declaredDifference(variation: Variation): readonly string[] {
  if (variation.differs !== undefined) return variation.differs;
  const { change = {}, connect = {} } = variation;
  const declared: string[] = [];
  if (change.method !== undefined) declared.push('request.method');
  if (change.path !== undefined) declared.push('request.target');
  if (change.authority !== undefined) declared.push('request.authority');
  if (change.body !== undefined) declared.push('request.body');
  if (change.version !== undefined) declared.push('request.version');
  for (const [name] of change.fields ?? []) declared.push(`request.field.${name.toLowerCase()}`);
  for (const [name] of change.trailers ?? []) declared.push(`request.trailer.${name.toLowerCase()}`);
  if (change.authorization !== undefined) declared.push('request.authorization');
  if (change.carriage !== undefined) declared.push('proof');
  declared.push(...declaredOfToken(change.token), ...declaredOfProof(change.proof));
  declared.push(...declaredOfDpop(change.dpop));
  if (connect.identity !== undefined) declared.push('connection.certificate');
  if (connect.tls !== undefined) declared.push('connection.tls');
  if (connect.http !== undefined) declared.push('connection.http');
  if (connect.servername !== undefined) declared.push('connection.servername');
  if (connect.session !== undefined) declared.push('connection.resumed');
  if (connect.extendedMasterSecret !== undefined) declared.push('connection.extendedMasterSecret');
  return [...new Set(declared)];
}

function declaredOfToken(token: RequestPlan['token']): readonly string[] {
  if (token === undefined || isToken(token)) return [];
  if (token === null) return ['token', 'request.authorization'];
  return [
    ...(token.boundTo === undefined ? [] : ['token.claims.cnf.x5t#S256']),
    ...(token.sessionBound === undefined ? [] : ['token.claims.cnf.tls_exp']),
    ...(token.jkt === undefined ? [] : ['token.claims.cnf.jkt']),
    ...(token.subject === undefined ? [] : ['token.claims.sub']),
    ...(token.scope === undefined ? [] : ['token.claims.scope']),
    ...(token.lifetime === undefined ? [] : ['token.claims.exp']),
    ...(token.signWith === undefined ? [] : ['token.signature']),
    ...Object.keys(token.claims ?? {}).map((name) => `token.claims.${name}`),
    ...Object.keys(token.header ?? {}).map((name) => `token.header.${name}`),
  ];
}

function declaredOfProof(proof: RequestPlan['proof']): readonly string[] {
  if (proof === undefined) return [];
  if (!isProofPlan(proof)) return ['proof'];
  const members = [
    ...Object.keys(proof.header ?? {}).map((name) => `proof.header.${name}`),
    ...Object.keys(proof.claims ?? {}).map((name) => `proof.claims.${name}`),
  ];
  return [
    ...members,
    ...(proof.algorithm === undefined ? [] : ['proof.header.alg']),
    ...(proof.forToken === undefined && proof.ath === undefined ? [] : ['proof.claims.ath']),
    ...(proof.forConnection === undefined && proof.ekm === undefined ? [] : ['proof.claims.ekm']),
    ...(proof.by === undefined ? [] : ['proof.header.x5t#S256', 'proof.signature']),
    ...(proof.signWith === undefined && proof.signature === undefined ? [] : ['proof.signature']),
    ...(proof.headerText === undefined && proof.payloadText === undefined && proof.compact === undefined
      ? []
      : ['proof']),
  ];
}

function declaredOfDpop(dpop: RequestPlan['dpop']): readonly string[] {
  if (dpop === undefined) return [];
  if (!isDpopPlan(dpop)) return ['dpop'];
  const whole = [dpop.headerText, dpop.payloadText, dpop.compact, dpop.carriage];
  return [
    ...Object.keys(dpop.header ?? {}).map((name) => `dpop.header.${name}`),
    ...Object.keys(dpop.claims ?? {}).map((name) => `dpop.claims.${name}`),
    ...(dpop.algorithm === undefined || dpop.header?.['alg'] !== undefined ? [] : ['dpop.header.alg']),
    ...(dpop.forToken === undefined ? [] : ['dpop.claims.ath']),
    ...(dpop.by === undefined ? [] : ['dpop.header.jwk']),
    ...(dpop.signWith === undefined && dpop.signature === undefined ? [] : ['dpop.signature']),
    ...(whole.every((change) => change === undefined) ? [] : ['dpop']),
  ];
}
