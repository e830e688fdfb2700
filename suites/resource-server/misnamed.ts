import type { Expectation } from '../../harness/scenario/expectation.ts';
import { combine } from '../../harness/scenario/request.ts';
import type { RequestPlan, Variation } from '../../harness/scenario/request.ts';
import type { Stage } from '../../harness/scenario/stage.ts';

/** What scenarios have in common in which members of a JSON object have another name, or none. */

export const ANY_CASE =
  'Names of members are compared without regard to letter case, as some JSON libraries do unless told otherwise, so that another member passes for the one that is meant. Compare names exactly (RFC 7519 §7.3), or read into a plain map.';
/** The other way round: a member that nobody asked for decides. */
export const UNKNOWN_MEMBER =
  'A member whose name differs from a known one in letter case is read as that one, or members that are not known are refused. Compare names exactly, and ignore what is not known (RFC 7519 §4, §7.3).';
export const BY_POSITION =
  'A JSON array is taken for an object, its elements for the members in the order in which the program declares them, as some JSON libraries do for structures. Demand an object (RFC 7519 §7.2 step 10, RFC 7800 §3.1).';

/** A claim in capitals that is nobody's. */
const NEUTRAL: RequestPlan = { proof: { claims: { TSBT: 1 } } };

/** A request that is wrong in one way, and others that a reader who finds members otherwise would take for right. */
export interface Misnamed {
  readonly what: string;
  readonly wrong: RequestPlan;
  readonly variations: readonly Variation[];
}

/** Judged: none of the variations is served, where what is wrong about them counts at all. */
export async function refusesAll(
  stage: Stage,
  expectation: Expectation,
  rows: readonly Misnamed[],
  base: RequestPlan = {},
): Promise<void> {
  await stage.control('the right request', base);
  const judged: Variation[] = [];
  for (const { what, wrong, variations } of rows) {
    const { served } = await stage.send(what, combine(base, wrong));
    if (served) stage.note(`${what}: served, so that it cannot be told by which name it is looked for`);
    else judged.push(...variations);
  }
  if (judged.length === 0) stage.notApplicable('what is wrong here is served under any name');
  await stage.refuses(expectation, judged, base, {}, NEUTRAL);
}
