import { readJwt } from '../../harness/forge/read.ts';
import type { AgentPlan } from '../../harness/scenario/client/client-play.ts';
import { provenOf } from '../../harness/scenario/client/client-stage.ts';
import type { ClientStage, Proven } from '../../harness/scenario/client/client-stage.ts';

/** A request with a proof that can be taken apart. */
export interface ReadProof extends Proven {
  readonly header: Json;
  readonly claims: Json;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Sends a right request and takes its proof apart. Where there is no proof, or none that is a JWT, nothing about its
 * content can be judged; with a key other than P-256 a client need not make proofs at all (ambiguity AMB-12).
 */
export async function readableProof(
  stage: ClientStage,
  plan: AgentPlan = {},
  what = 'a request with a session-bound token',
): Promise<ReadProof> {
  const proven = provenOf(await stage.journey(what, plan, 'control', 'served, with a proof'));
  const { key } = stage.permutation;
  if (typeof proven === 'string') {
    if (key !== 'P-256')
      stage.notApplicable(`with a ${key} key the client makes no proofs: the request ${proven}`);
    return stage.inconclusive(`the control "${what}" ${proven}; see CL-FLD-1`);
  }
  const { header, claims, problem } = readJwt(proven.proof);
  if (problem !== undefined || !isJson(header) || !isJson(claims))
    return stage.inconclusive(
      `the proof cannot be taken apart (${problem ?? 'no JSON objects'}); see CL-SIG-2`,
    );
  return { ...proven, header, claims };
}

/** The claims of a proof; none where it cannot be taken apart. */
export function claimsOf(proof: string): Json {
  const { claims } = readJwt(proof);
  return isJson(claims) ? claims : {};
}

/** A value of a proof in words. */
export function shown(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value) ?? 'missing').slice(0, 120);
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
