import type { IncomingHttpHeaders } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Dispatcher } from 'undici';
import { createProof, type ProofContent, type ProofSigner } from '../proof/create.ts';
import { exporterOf } from '../tls/exporter.ts';
import { asksForProof } from './challenge.ts';
import { type DpopPolicy, type DpopProofs, DpopSource } from './dpop.ts';
import { SessionBindingError } from './errors.ts';
import { type HandshakeParts, objectionTo, tlsOptions } from './handshake.ts';
import { type ClientIdentity, signerOf } from './identity.ts';
import { type ProofBasis, type Proofs, ProofSource } from './proof-source.ts';
import { readFields, type RequestFields, withProof } from './request-fields.ts';
import { isRepeatable } from './repeatable.ts';

/**
 * The pieces that a client is put together from. Each has one default; to change behaviour, give another piece.
 */
export interface ClientParts extends HandshakeParts {
  /** Certificate and key that the proofs of a new connection are made with. */
  readonly signerOf: (identity: ClientIdentity) => ProofSigner;
  readonly exporterOf: (socket: TLSSocket) => Uint8Array;
  /** Gives the proofs of a new connection. */
  readonly proofsOf: (basis: ProofBasis) => Proofs;
  /** Gives the DPoP proofs of a client that has a key for them. */
  readonly dpopProofsOf: (policy: DpopPolicy, clock: () => number) => DpopProofs;
  readonly createProof: (signer: ProofSigner, content: ProofContent) => string;
  /** `htu` of a request. */
  readonly targetOf: (origin: URL, path: string) => string;
  readonly readFields: (headers: Dispatcher.DispatchOptions['headers']) => RequestFields;
  readonly withProof: (request: RequestFields, proof: string | undefined) => string[];
  /** Whether a response refuses the proof, or asks for one. */
  readonly asksForProof: (status: number, headers: IncomingHttpHeaders) => boolean;
  /**
   * What a request is ended with that undici sends once more of its own accord; `undefined` lets it go out.
   *
   * @param before whether that has happened to the request before
   */
  readonly objectionToRepetition: (before: boolean) => SessionBindingError | undefined;
  /** Whether sending a request twice does no more than sending it once, and its body is still there. */
  readonly isRepeatable: (options: Dispatcher.DispatchOptions) => boolean;
}

/** Target URI without query and fragment (draft -06 §2.3.2.2). */
function targetOf(origin: URL, path: string): string {
  return `${origin.origin}${path.replace(/[?#].*$/s, '')}`;
}

/** undici sends a stream that the server refused once more (RFC 9113 §8.7), and with it the proof. */
function objectionToRepetition(before: boolean): SessionBindingError {
  const code = before ? 'stream-refused' : 'connection-ended';
  return new SessionBindingError(code, 'the server refused the stream');
}

export const defaultClientParts: ClientParts = {
  tlsOptions,
  objectionTo,
  signerOf,
  exporterOf,
  proofsOf: (basis) => new ProofSource(basis),
  dpopProofsOf: (policy, clock) => new DpopSource(policy, clock),
  createProof,
  targetOf,
  readFields,
  withProof,
  asksForProof,
  objectionToRepetition,
  isRepeatable,
};
