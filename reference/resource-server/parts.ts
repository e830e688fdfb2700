import type { Checks } from '../proof/checks.ts';
import { type Confirmation, readConfirmation } from '../proof/confirmation.ts';
import { createDpopVerifier, type DpopVerifier } from '../dpop/verify.ts';
import type { ProofVerifier } from '../proof/subject.ts';
import { createVerifier } from '../proof/verify.ts';
import {
  defaultPresentationChecks,
  type PresentationCheck,
  type PresentationCheckName,
} from './admission.ts';
import { type BindingCache, createBindingCache } from './bindings.ts';
import { connectionKeyOf, ConnectionReader } from './connection.ts';
import { accessTokenOf, dpopProofsOf, isUnderDpop, proofsOf } from './credentials.ts';
import { type HttpRequest, targetOf } from './http-message.ts';
import { createIdentifierStore, type IdentifierStore } from './identifiers.ts';
import { challengeFor, insufficientScope, type Refusal } from './refusal.ts';
import type { TokenValidator } from './token.ts';

/**
 * The pieces that a resource server is put together from. Each has one default; to change
 * behaviour, give another piece.
 */
export interface ResourceServerParts {
  readonly validateToken: TokenValidator;
  /** Refuse every token that is not bound to TLS sessions. Default: false, tokens of all kinds are served. */
  readonly requireBinding: boolean;
  /** The scope that a request needs. Default: none. */
  readonly requiredScope: (request: HttpRequest) => string | undefined;
  /** Stands for the connection that carried a request; `undefined` once that is gone. */
  readonly connectionKeyOf: (request: HttpRequest) => object | undefined;
  readonly connections: Pick<ConnectionReader, 'read'>;
  readonly tokenOf: (request: HttpRequest) => string | Refusal;
  /** Whether the token stands under the scheme DPoP. */
  readonly isUnderDpop: (request: HttpRequest) => boolean;
  readonly proofsOf: (request: HttpRequest) => readonly string[];
  readonly dpopProofsOf: (request: HttpRequest) => readonly string[];
  readonly targetOf: (request: HttpRequest) => { authority: string | undefined; path: string };
  readonly readConfirmation: (cnf: unknown) => Confirmation;
  readonly checks: Checks<PresentationCheckName, PresentationCheck>;
  readonly verifyProof: ProofVerifier;
  readonly verifyDpop: DpopVerifier;
  readonly bindings: BindingCache;
  readonly identifiers: IdentifierStore;
  /** Those of DPoP proofs, which are none of the draft's. */
  readonly dpopIdentifiers: IdentifierStore;
  readonly insufficientScope: (scope: string) => Refusal;
  readonly challengeFor: (refusal: Refusal, realm: string) => string;
  /** Seconds since 1970-01-01 UTC. */
  readonly clock: () => number;
}

/** Every part's default. Caches and stores are new ones, so that two servers share none. */
export function defaultParts(validateToken: TokenValidator): ResourceServerParts {
  return {
    validateToken,
    requireBinding: false,
    requiredScope: () => undefined,
    connectionKeyOf,
    connections: new ConnectionReader(),
    tokenOf: accessTokenOf,
    isUnderDpop,
    proofsOf,
    dpopProofsOf,
    targetOf,
    readConfirmation,
    checks: defaultPresentationChecks,
    verifyProof: createVerifier(),
    verifyDpop: createDpopVerifier(),
    bindings: createBindingCache(),
    identifiers: createIdentifierStore(),
    dpopIdentifiers: createIdentifierStore(),
    insufficientScope,
    challengeFor,
    clock: () => Date.now() / 1000,
  };
}
