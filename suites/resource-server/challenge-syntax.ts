import { parseChallenges } from '../../harness/scenario/challenge.ts';
import type { Challenge } from '../../harness/scenario/challenge.ts';
import type { Outcome } from '../../harness/wire/connection.ts';

/** The octets that each parameter of a Bearer challenge may hold (RFC 6750 §3). */
const PERMITTED: Readonly<Record<string, RegExp>> = {
  error: /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/,
  error_description: /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/,
  error_uri: /^[\x21\x23-\x5b\x5d-\x7e]*$/,
  scope: /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/,
};

function values(outcome: Outcome): readonly string[] {
  return outcome.type === 'failure'
    ? []
    : outcome.fields.filter(([name]) => name.toLowerCase() === 'www-authenticate').map(([, value]) => value);
}

/** The Bearer challenges of a response; none where its challenges do not parse. */
export function bearerChallenges(outcome: Outcome): readonly Challenge[] {
  const parsed = parseChallenges(values(outcome));
  return parsed.ok ? parsed.challenges.filter(({ scheme }) => scheme.toLowerCase() === 'bearer') : [];
}

/** What is wrong with the way in which a response's challenges are written, in words (RFC 9110 §11.6.1, RFC 6750 §3). */
export function challengeProblems(outcome: Outcome): readonly string[] {
  if (outcome.type === 'failure') return [];
  const parsed = parseChallenges(values(outcome));
  const folded =
    outcome.folded?.includes('www-authenticate') === true
      ? ['the WWW-Authenticate field is folded over several lines']
      : [];
  if (!parsed.ok) return [...folded, `the WWW-Authenticate field does not parse: ${parsed.problem}`];
  const characters = bearerChallenges(outcome).flatMap(({ parameters }) =>
    Object.entries(PERMITTED)
      .filter(([name, permitted]) => !permitted.test(parameters.get(name) ?? ''))
      .map(
        ([name]) =>
          `${name} has characters that RFC 6750 §3 does not permit: ${JSON.stringify(parameters.get(name))}`,
      ),
  );
  return [...folded, ...characters];
}
