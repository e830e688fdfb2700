/** What can be wrong with a proof: a closed set, stable, for programs to branch on. */
export type DefectCode =
  | 'too-long'
  | 'not-compact'
  | 'not-base64url'
  | 'not-json'
  | 'wrong-type'
  | 'unfit-algorithm'
  | 'critical-extension'
  | 'unencoded-payload'
  | 'wrong-thumbprint'
  | 'bad-signature'
  | 'missing-claim'
  | 'malformed-claim'
  | 'wrong-exporter'
  | 'wrong-token-hash'
  | 'stale'
  | 'from-the-future'
  | 'expired'
  | 'not-yet-valid'
  | 'wrong-method'
  | 'wrong-target'
  | 'replayed';

/** Step of draft -06 §3.3.2 (5a to 5i) that a defect breaks; `form` for the JWT's own rules (§2.3). */
export type Step = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'form';

/** Why a proof does not hold. */
export interface Defect {
  readonly code: DefectCode;
  readonly step: Step;
  /** Claim or header parameter at fault, where it is one. */
  readonly member?: string;
  /** One sentence for the client's developer: fixed text that quotes nothing of the request. */
  readonly description: string;
}

/** A defect of one claim or header parameter. */
export function defectOf(code: DefectCode, step: Step, member: string, description: string): Defect {
  return { code, step, member, description };
}
