import { randomUUID } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { BoundedMap } from '../memory/bounded-map.ts';
import { createProof, type ProofContent, type ProofSigner } from '../proof/create.ts';

/** How proofs are made. */
export interface ProofPolicy {
  /** `connection`: one proof for all requests with a token; `request`: a new one each time, for that request only. */
  readonly claims: 'connection' | 'request';
  /** How long a proof is used, in seconds; to stay below what servers accept. */
  readonly lifetime: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly clock: () => number;
}

export const defaultProofPolicy: ProofPolicy = { claims: 'connection', lifetime: 240, clock: Date.now };

/** A request that is about to be sent with a bearer token. */
export interface TokenRequest {
  readonly token: string;
  readonly method: string;
  /** Target URI without query and fragment. */
  readonly target: string;
}

/** What the proofs of one connection rest on. */
export interface ProofBasis {
  /** The certificate that was presented on the connection, and its key. */
  readonly signer: ProofSigner;
  /** Exporter value of the connection: 32 octets. */
  readonly exporter: Uint8Array;
  readonly policy: ProofPolicy;
  readonly createProof?: (signer: ProofSigner, content: ProofContent) => string;
  readonly socket?: TLSSocket;
}

/** Gives the proofs of one connection. */
export interface Proofs {
  /** The proof to send with a request; `undefined` for none. */
  proofFor(request: TokenRequest): string | undefined;
  /** Whether a proof was made here for this token. */
  knows(token: string): boolean;
  /** A server refused this proof, or asked for one where none was sent: the next one is made anew. */
  refused(token: string, proof: string | undefined): void;
}

interface MadeProof {
  readonly proof: string;
  readonly madeAt: number;
}

/** Most tokens whose proofs one connection remembers. */
const REMEMBERED = 256;

/**
 * Makes the proofs of one connection, and remembers them: one signature for each token. It belongs to the
 * connection and ends with it, so no proof can reach another connection.
 *
 * Source: draft -06 §3.3.1.
 */
export class ProofSource implements Proofs {
  readonly #basis: ProofBasis;
  readonly #made = new BoundedMap<string, MadeProof>(REMEMBERED);

  constructor(basis: ProofBasis) {
    this.#basis = basis;
  }

  proofFor({ token, method, target }: TokenRequest): string {
    const { claims, lifetime, clock } = this.#basis.policy;
    const time = clock() / 1000;
    const known = claims === 'connection' ? this.#made.get(token) : undefined;
    if (known !== undefined && Math.abs(time - known.madeAt) < lifetime) return known.proof;
    const proof = (this.#basis.createProof ?? createProof)(this.#basis.signer, {
      token,
      exporter: this.#basis.exporter,
      issuedAt: Math.floor(time),
      ...(claims === 'request' && { request: { identifier: randomUUID(), method, target } }),
    });
    this.#made.set(token, { proof, madeAt: time });
    return proof;
  }

  knows(token: string): boolean {
    return this.#made.get(token) !== undefined;
  }

  /** Requests that went out together have one proof: only the first refusal of it counts. */
  refused(token: string, proof: string | undefined): void {
    if (this.#made.get(token)?.proof === proof) this.#made.delete(token);
  }
}
