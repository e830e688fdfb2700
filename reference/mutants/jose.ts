import { createHmac, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { algorithmsFor, type Algorithm } from '../proof/algorithms.ts';
import { encodeBase64url } from '../proof/encoding.ts';
import { type JsonObject, type ParsedProof, parseProof } from '../proof/parse.ts';
import type { ProofVerifier, VerificationRules } from '../proof/subject.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { HEADER } from '../proof/vocabulary.ts';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { fieldValues } from '../resource-server/http-message.ts';
import { tlsOptionsFor } from '../resource-server/server.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { readGrant } from '../resource-server/token.ts';
import type { Mutant } from './mutant.ts';

/** The reference with this way of verifying proofs. */
function verifying(verifyProof: ProofVerifier): TargetVariant {
  return { parts: () => ({ verifyProof }) };
}

function withRules(rules: Partial<VerificationRules>): TargetVariant {
  return verifying(createVerifier({ rules }));
}

/** The reference with further algorithms for every key. */
function withAlgorithms(further: (key: KeyObject) => readonly Algorithm[]): TargetVariant {
  return withRules({ algorithms: (key) => [...algorithmsFor(key), ...further(key)] });
}

/** An algorithm that a careless verifier takes; it signs nothing. */
function taken(name: string, verifies: Algorithm['verify']): Algorithm {
  return { name, sign: () => Buffer.alloc(0), verify: verifies };
}

function jsonOf(part: string): JsonObject {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function headerOf(proof: string): JsonObject {
  return jsonOf(proof.split('.', 1)[0] ?? '');
}

/** The key that a header parameter gives, or the right one. */
function keyFrom(read: (header: JsonObject) => KeyObject | undefined): TargetVariant {
  return withRules({
    verificationKey({ header }, { certificate }) {
      try {
        return read(header) ?? certificate.publicKey;
      } catch {
        return certificate.publicKey;
      }
    },
  });
}
