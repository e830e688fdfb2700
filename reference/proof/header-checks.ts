import { type Defect, defectOf } from './defect.ts';
import type { ParsedProof } from './parse.ts';
import type { ProofSubject, VerificationRules } from './subject.ts';
import { HEADER, PROOF_TYPE } from './vocabulary.ts';

export function checkType({ header }: ParsedProof, _subject: ProofSubject, rules: VerificationRules) {
  if (header[HEADER.type] === rules.type) return undefined;
  return defectOf('wrong-type', 'form', HEADER.type, `typ is not ${PROOF_TYPE}`);
}

/** No extension is understood, so any `crit` is one too many (RFC 7515 §4.1.11). */
export function checkCritical({ header }: ParsedProof) {
  if (!Object.hasOwn(header, HEADER.critical)) return undefined;
  return defectOf('critical-extension', 'form', HEADER.critical, 'crit names extensions not understood here');
}

export function checkUnencoded({ header }: ParsedProof) {
  if (!Object.hasOwn(header, HEADER.encodedPayload)) return undefined;
  return defectOf('unencoded-payload', 'form', HEADER.encodedPayload, 'a proof has no b64 parameter');
}

function fittingAlgorithm(proof: ParsedProof, subject: ProofSubject, rules: VerificationRules) {
  const name = proof.header[HEADER.algorithm];
  return rules.algorithms(rules.verificationKey(proof, subject)).find((candidate) => candidate.name === name);
}

export function checkAlgorithm(proof: ParsedProof, subject: ProofSubject, rules: VerificationRules) {
  if (fittingAlgorithm(proof, subject, rules) !== undefined) return undefined;
  const description = 'alg does not fit the key of the client certificate of this connection';
  return defectOf('unfit-algorithm', 'form', HEADER.algorithm, description);
}

export function checkThumbprint({ header }: ParsedProof, { certificate }: ProofSubject) {
  if (header[HEADER.certificate] === certificate.thumbprint) return undefined;
  const description = 'x5t#S256 in the header is not that of the client certificate of this connection';
  return defectOf('wrong-thumbprint', 'form', HEADER.certificate, description);
}

export function checkSignature(proof: ParsedProof, subject: ProofSubject, rules: VerificationRules) {
  const algorithm = fittingAlgorithm(proof, subject, rules);
  try {
    const key = rules.verificationKey(proof, subject);
    if (algorithm?.verify(key, proof.signingInput, proof.signature) === true) return undefined;
  } catch {
    // A signature that OpenSSL cannot even read verifies as little as a wrong one.
  }
  const description = 'the signature is not by the key of the client certificate of this connection';
  return { code: 'bad-signature', step: 'e', description } satisfies Defect;
}
