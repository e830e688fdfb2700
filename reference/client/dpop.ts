import { randomUUID, type KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createDpopProof, type DpopContent, type DpopSigner, dpopSignerOf } from '../dpop/create.ts';
import { DPOP_FIELD, DPOP_FIELD_LOWER, NONCE_FIELD } from '../dpop/vocabulary.ts';
import { BoundedMap } from '../memory/bounded-map.ts';
import { dpopKeyOf } from '../proof/confirmation.ts';
import { parseChallenges } from './challenge.ts';
import { canonicalName } from './request-fields.ts';
import { confirmationOf } from './token-binding.ts';

/** What a client proves with DPoP (RFC 9449), beside the binding to the TLS session. */
export interface DpopPolicy {
  /** Private key that tokens are bound to. */
  readonly key: KeyObject;
  /**
   * `bound`: tokens whose `cnf.jkt` names the key, and tokens under the scheme DPoP; `all`: every token, for opaque
   * ones that are sent under Bearer. Default `bound`.
   */
  readonly tokens?: 'bound' | 'all';
}

/** A request that is about to be sent with a token. */
export interface DpopRequest {
  readonly token: string;
  /** Whether the token stands under the scheme DPoP. */
  readonly underDpop: boolean;
  readonly method: string;
  /** Target URI without query and fragment. */
  readonly target: string;
  /** Of the server that it goes to. */
  readonly origin: string;
}

/** Gives DPoP proofs. */
export interface DpopProofs {
  /** The proof to send with a request; `undefined` for none. */
  proofFor(request: DpopRequest): string | undefined;
  /** Takes note of the nonce that a response gives. @returns whether it is one that was not known */
  heard(origin: string, headers: IncomingHttpHeaders): boolean;
}

/** Most servers whose nonces are remembered. */
const REMEMBERED = 256;

/** Makes a DPoP proof for each request: it is good for one only. Nonces belong to the server that gave them. */
export class DpopSource implements DpopProofs {
  readonly #signer: DpopSigner;
  readonly #all: boolean;
  readonly #clock: () => number;
  readonly #createProof: (signer: DpopSigner, content: DpopContent) => string;
  readonly #nonces = new BoundedMap<string, string>(REMEMBERED);

  /**
   * @param clock milliseconds since 1970-01-01 UTC
   * @throws TypeError where no proof can be signed with the key
   */
  constructor({ key, tokens }: DpopPolicy, clock: () => number, createProof = createDpopProof) {
    this.#signer = dpopSignerOf(key);
    this.#all = tokens === 'all';
    this.#clock = clock;
    this.#createProof = createProof;
  }

  proofFor({ token, underDpop, method, target, origin }: DpopRequest): string | undefined {
    if (!this.#all && !underDpop && !this.#isBound(token)) return undefined;
    return this.#createProof(this.#signer, {
      token,
      identifier: randomUUID(),
      method,
      target,
      issuedAt: Math.floor(this.#clock() / 1000),
      nonce: this.#nonces.get(origin),
    });
  }

  #isBound(token: string): boolean {
    const confirmation = confirmationOf(token);
    return confirmation !== undefined && dpopKeyOf(confirmation) === this.#signer.thumbprint;
  }

  heard(origin: string, headers: IncomingHttpHeaders): boolean {
    const nonce = headers[NONCE_FIELD.toLowerCase()];
    if (typeof nonce !== 'string' || nonce === '' || nonce === this.#nonces.get(origin)) return false;
    this.#nonces.set(origin, nonce);
    return true;
  }
}

/** Whether a response asks for a DPoP proof with the nonce that it gives (RFC 9449 §9). */
export function asksForNonce(status: number, headers: IncomingHttpHeaders): boolean {
  if (status !== 401) return false;
  return parseChallenges(headers['www-authenticate']).some(
    ({ scheme, parameters }) => scheme === 'dpop' && parameters.get('error') === 'use_dpop_nonce',
  );
}

/** The header fields of a request with a DPoP proof, which takes the place of any that the caller put there. */
export function withDpopProof(fields: readonly string[], proof: string | undefined): string[] {
  if (proof === undefined) return [...fields];
  const others = fields.flatMap((name, index) =>
    index % 2 === 1 || canonicalName(name) === DPOP_FIELD_LOWER ? [] : [name, fields[index + 1] ?? ''],
  );
  return [...others, DPOP_FIELD, proof];
}

/** Whether the token among these fields stands under the scheme DPoP (RFC 9449 §7.1). */
export function isUnderDpop(fields: readonly string[]): boolean {
  return fields.some(
    (name, index) =>
      index % 2 === 0 && canonicalName(name) === 'authorization' && /^dpop /i.test(fields[index + 1] ?? ''),
  );
}
