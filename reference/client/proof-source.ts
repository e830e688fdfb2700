import { randomUUID } from 'node:crypto';
import { BoundedMap } from '../memory/bounded-map.ts';
import { createProof, type ProofSigner } from '../proof/create.ts';

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
export class ProofSource {
  readonly #signer: ProofSigner;
  readonly #exporter: Uint8Array;
  readonly #policy: ProofPolicy;
  readonly #made = new BoundedMap<string, MadeProof>(REMEMBERED);

  constructor(signer: ProofSigner, exporter: Uint8Array, policy: ProofPolicy) {
    this.#signer = signer;
    this.#exporter = exporter;
    this.#policy = policy;
  }

  /** @param target target URI without query and fragment */
  proofFor(token: string, method: string, target: string): string {
    const { claims, lifetime, clock } = this.#policy;
    const time = clock() / 1000;
    const content = { token, exporter: this.#exporter, issuedAt: Math.floor(time) };
    if (claims === 'request') {
      return createProof(this.#signer, {
        ...content,
        request: { identifier: randomUUID(), method, target },
      });
    }
    const known = this.#made.get(token);
    if (known !== undefined && Math.abs(time - known.madeAt) < lifetime) return known.proof;
    const proof = createProof(this.#signer, content);
    this.#made.set(token, { proof, madeAt: time });
    return proof;
  }

  /** The next proof for this token is a new one. */
  forget(token: string): void {
    this.#made.delete(token);
  }
}
