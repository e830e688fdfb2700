import type { KeyObject } from 'node:crypto';
import type { Algorithm } from './algorithms.ts';
import type { Defect } from './defect.ts';
import type { ParsedProof } from './parse.ts';
import type { ProvenRequest } from './request-target.ts';

/** What a proof is held against: the request it came with, and the connection that carried it. */
export interface ProofSubject {
  /** The proof as received, compact serialization. */
  readonly proof: string;
  /** The access token exactly as presented. */
  readonly token: string;
  /** Exporter value of the very connection that carried the request: 32 octets. */
  readonly exporter: Uint8Array;
  /** The client certificate that was authenticated on that connection. */
  readonly certificate: { readonly publicKey: KeyObject; readonly thumbprint: string };
  readonly request: ProvenRequest;
  /** Seconds since 1970-01-01 UTC. */
  readonly now: number;
  /**
   * Records a `jti` for this token and says whether it was new: one step, so that of two requests
   * that race only one wins. Called after every other check has passed.
   */
  readonly claimIdentifier: (jti: string) => boolean;
}

/** The decisions that verification rests on, each with one default. */
export interface VerificationRules {
  readonly parse: (compact: string) => ParsedProof | Defect;
  /** The only key that a signature is verified with. */
  readonly verificationKey: (proof: ParsedProof, subject: ProofSubject) => KeyObject;
  readonly algorithms: (key: KeyObject) => readonly Algorithm[];
  readonly type: string;
  /** How old a proof may be at first sight, in seconds. */
  readonly pastSeconds: number;
  /** How far ahead the client's clock may run, in seconds. */
  readonly futureSeconds: number;
  /** Comparison of secret-derived texts; takes the same time wherever they differ. */
  readonly same: (expected: string, received: string) => boolean;
  readonly tokenHash: (token: string) => string;
  readonly encodeExporter: (exporter: Uint8Array) => string;
  readonly matchesMethod: (htm: string, request: ProvenRequest) => boolean;
  readonly matchesTarget: (htu: string, request: ProvenRequest) => boolean;
}

export type CheckName =
  | 'type'
  | 'critical'
  | 'unencoded'
  | 'algorithm'
  | 'thumbprint'
  | 'signature'
  | 'exporter'
  | 'token-hash'
  | 'issued-at'
  | 'expiry'
  | 'not-before'
  | 'method'
  | 'target'
  | 'identifier';

/** Looks at one aspect of a parsed proof. */
export type ProofCheck = (
  proof: ParsedProof,
  subject: ProofSubject,
  rules: VerificationRules,
) => Defect | undefined;

/** A proof that holds, or what is wrong with it. */
export type Verification =
  | { readonly holds: true; readonly proof: ParsedProof }
  | { readonly holds: false; readonly defect: Defect };

export type ProofVerifier = (subject: ProofSubject) => Verification;
