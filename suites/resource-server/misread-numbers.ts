import { literalMember } from '../../harness/forge/json-text.ts';
import { oddlyGreater, oddlyLess } from '../../harness/forge/odd-numbers.ts';
import type { Misreading, OddNumber } from '../../harness/forge/odd-numbers.ts';
import type { Expectation } from '../../harness/scenario/expectation.ts';
import { combine } from '../../harness/scenario/request.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import type { Stage } from '../../harness/scenario/stage.ts';

/** What scenarios have in common in which a time is another number than it is taken for (NumericDate, RFC 7519 §2). */

const CAUSES: Readonly<Record<Misreading, string>> = {
  '32 bits':
    'The number of seconds, or that number times a thousand, is cut to 32 bits, so that another time passes for this one. Keep it as a 64-bit integer or a double, and check its range before it is converted or multiplied.',
  '64 bits':
    'The number of seconds, or its product in a smaller unit, is cut to 64 bits, so that another time passes for this one. Compare in seconds, and check the range before the number is converted or multiplied.',
  overflow:
    'The difference between two times overflows, so that a time at the end of the range counts as near. Compare the number with both edges of the window instead, or check its range first.',
  unit: 'A number that is too great for seconds is taken for milliseconds or a smaller unit. NumericDate is in seconds (RFC 7519 §2): refuse what lies outside the window.',
  digits:
    'The number is read from its digits as far as they go, and its exponent is left out. Take the value that the JSON parser gives.',
  infinite:
    'The number is beyond the range of a double, becomes infinite, and passes comparison or conversion. Refuse what is not finite.',
  zero: 'Zero counts as not given, as in a test for truth, and no time is compared. Ask whether the member is there.',
};

const DAY = 86_400;

/** Seconds since 1970. */
export function clock(): number {
  return Math.floor(Date.now() / 1000);
}

/** A claim with a time, wrong in one direction. */
export interface TimeClaim {
  readonly name: string;
  /** The request with this JSON text as the claim's value. */
  readonly at: (literal: string) => RequestPlan;
  /** What of its description differs then. */
  readonly differs: (literal: string) => readonly string[];
  /** A time that is plainly wrong; where it is served, the claim is not compared, and no misreading can be told. */
  readonly wrong: number;
  readonly numbers: readonly OddNumber[];
}

/** A claim of the proof. */
export function proofTime(
  name: 'iat' | 'exp' | 'nbf',
  side: Pick<TimeClaim, 'wrong' | 'numbers'>,
): TimeClaim {
  return {
    name: `${name} of the proof`,
    at: (literal) => ({ proof: { payloadText: literalMember(name, literal) } }),
    // A description has the text of claims only where a serializer would have written it otherwise.
    differs: (literal) => [
      ...(JSON.stringify(JSON.parse(literal)) === literal ? [] : ['proof.claims']),
      `proof.claims.${name}`,
    ],
    ...side,
  };
}

/** A claim of the access token. */
export function tokenTime(name: 'exp' | 'nbf', side: Pick<TimeClaim, 'wrong' | 'numbers'>): TimeClaim {
  return {
    name: `${name} of the token`,
    at: (literal) => ({ token: { payloadText: literalMember(name, literal) } }),
    differs: () => [`token.claims.${name}`],
    ...side,
  };
}

/** iat of the DPoP proof (RFC 9449 §4.3 item 11). */
export function dpopTime(side: Pick<TimeClaim, 'wrong' | 'numbers'>): TimeClaim {
  return {
    name: 'iat of the DPoP proof',
    at: (literal) => ({ dpop: { payloadText: literalMember('iat', literal) } }),
    differs: () => ['dpop.claims.iat'],
    ...side,
  };
}

/** Times later than `right` that may pass for it. */
export function later(right: number): Pick<TimeClaim, 'wrong' | 'numbers'> {
  return { wrong: right + DAY, numbers: oddlyGreater(right) };
}

/** Times earlier than `right` that may pass for it. */
export function earlier(right: number): Pick<TimeClaim, 'wrong' | 'numbers'> {
  return { wrong: right - DAY, numbers: oddlyLess(right) };
}

/** In this order they are tried, so that each comes after those whose numbers it has in common with them. */
const ORDER: readonly Misreading[] = ['32 bits', 'overflow', '64 bits', 'unit', 'infinite', 'digits', 'zero'];

/** A misreading that was seen accounts for these as well. */
const ACCOUNTS_FOR: Readonly<Partial<Record<Misreading, readonly Misreading[]>>> = {
  '32 bits': ['overflow', '64 bits'],
  overflow: ['64 bits', 'infinite'],
  unit: ['digits'],
  infinite: ['digits'],
};

/** The rows of one claim, or none where it is not compared. */
async function judgedNumbers(
  stage: Stage,
  claim: TimeClaim,
  see: string,
  base: RequestPlan,
): Promise<readonly OddNumber[]> {
  const { name, at, wrong, numbers } = claim;
  const what = `${name} is ${wrong > clock() ? 'a day ahead' : 'a day past'}`;
  if ((await stage.send(what, combine(base, at(String(wrong))))).served) {
    stage.note(`${what}: served, so that it cannot be told how other numbers are read; see ${see}`);
    return [];
  }
  return numbers
    .filter(({ telling }) => telling || stage.full)
    .toSorted((one, other) => ORDER.indexOf(one.misreading) - ORDER.indexOf(other.misreading));
}

/**
 * Judged: no number is taken for another one.
 *
 * @param see the scenario that judges whether the claims are compared at all
 */
export async function refusesMisread(
  stage: Stage,
  expectation: Expectation,
  claims: readonly TimeClaim[],
  see: string,
  base: RequestPlan = {},
): Promise<void> {
  const control = await stage.control('the right request', base);
  let judged = 0;
  for (const claim of claims) {
    const causes = new Map<Misreading, string>();
    for (const { what, literal, misreading } of await judgedNumbers(stage, claim, see, base)) {
      const cause = causes.get(misreading) ?? CAUSES[misreading];
      const tried = await stage.refusesOne(
        expectation,
        { what: `${claim.name} ${what}`, change: claim.at(literal), differs: claim.differs(literal), cause },
        control,
        base,
      );
      judged += 1;
      if ('outcome' in tried && tried.served)
        for (const other of ACCOUNTS_FOR[misreading] ?? []) causes.set(other, cause);
    }
  }
  if (judged === 0) stage.notApplicable(`these times are not compared at all; see ${see}`);
  await stage.control('the right request again', base);
}
