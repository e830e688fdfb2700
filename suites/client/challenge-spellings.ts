import type { Field } from '../../harness/wire/connection.ts';
import { served, status } from '../../harness/scenario/client/answers.ts';
import type { Journey } from '../../harness/scenario/client/client-play.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';

/** draft -06 §3.5, RFC 9110 §11.6.1: use_session_binding, however a server writes it. */

const NOT_READ =
  'The challenge is searched for as a text, or read in one spelling only. Parse WWW-Authenticate as RFC 9110 §11.6.1 says: several challenges in one field or in several, schemes and parameter names in any case, values as tokens or quoted strings, unknown parameters skipped.';

const ERROR = 'error="use_session_binding"';

/** The challenge of draft -06 §3.5 as everybody writes it. */
const PLAIN = [`Bearer realm="tsbt", ${ERROR}`];

/** A 401 that says nothing about proofs. */
const OTHER = ['Bearer realm="tsbt", error="invalid_token"'];

/** The same challenge, written otherwise: the values of the WWW-Authenticate fields. */
const SPELLINGS: readonly (readonly [what: string, values: readonly string[]])[] = [
  ['without a realm', [`Bearer ${ERROR}`]],
  ['in another case and as a token', ['bearer ERROR=use_session_binding']],
  [
    'with unknown parameters around it',
    [`Bearer scope="a b", x-new=1, ${ERROR}, error_uri="https://e.test/"`],
  ],
  ['after a realm with a comma', [`Bearer realm="a,b", ${ERROR}`]],
  ['after a realm with quotes in it', [`Bearer realm="a \\"b\\", error=\\"no\\"", ${ERROR}`]],
  ['with white space around =', ['Bearer realm = "tsbt", error = "use_session_binding"']],
  ['with a quoted pair in it', ['Bearer error="use\\_session_binding"']],
  ['after another challenge in the same field', [`DPoP algs="ES256", Bearer realm="a,b", ${ERROR}`]],
  ['before another challenge in the same field', [`Bearer ${ERROR}, Basic realm="tsbt"`]],
  ['after a challenge with token68', [`Negotiate YWJjZA==, Bearer ${ERROR}`]],
  ['after a challenge without parameters', [`Negotiate, Bearer ${ERROR}`]],
  ['in the second of two fields', ['DPoP algs="ES256"', `Bearer ${ERROR}`]],
  ['in the first of two fields', [`Bearer ${ERROR}`, 'Basic realm="tsbt"']],
  ['in the second of two Bearer challenges', [`Bearer realm="a", Bearer realm="b", ${ERROR}`]],
  ['between empty list elements', [`, Bearer ${ERROR} , ,`]],
];

/** What only looks like it. */
const LOOKALIKES: readonly (readonly [what: string, values: readonly string[]])[] = [
  ['the words in another parameter', [`Bearer realm="error=use_session_binding", error="invalid_token"`]],
  ['the words in the realm of another scheme', [`Basic realm="Bearer error=\\"use_session_binding\\""`]],
];

/**
 * What the client makes of such an answer to the first request with an opaque token: whether it came with a proof, and
 * whether the client repeated it; where it did not, the same of the next request.
 */
async function reaction(stage: ClientStage, what: string, values: readonly string[]): Promise<string> {
  let refused = false;
  const fields = values.map((value): Field => ['WWW-Authenticate', value]);
  stage.answerWith(() => {
    if (refused) return served();
    refused = true;
    return status(401, fields);
  });
  const token = stage.mint({ opaque: true });
  const first = await stage.journey(`401 use_session_binding ${what}`, { token, once: true });
  if (first.arrivals.length > 1) return inWords(first);
  const next = await stage.journey(`the next request, after it came ${what}`, { token, once: true });
  return `${inWords(first)}, next ${inWords(next)}`;
}

function inWords({ arrivals }: Journey): string {
  return arrivals.map(({ proofs }) => (proofs.length === 0 ? 'no proof' : 'a proof')).join(', again ');
}

export const challengeSpellings = clientSuite('client-challenge-spellings', [
  {
    id: 'CL-RETRY-5',
    title: 'recognises use_session_binding however the challenge is written',
    cause: NOT_READ,
    async run(stage) {
      // What a client learns about the server with the first challenge of all must not count as recognising a later one.
      await stage.control([], 'an opaque token', { token: { opaque: true } });
      await reaction(stage, 'for the first time', PLAIN);
      const plain = await reaction(stage, 'as in the draft', PLAIN);
      if ((await reaction(stage, 'not at all, but invalid_token', OTHER)) === plain)
        stage.notApplicable(
          `the client does the same (${plain}) whether 401 asks for a proof or not, so that it cannot be seen what it reads`,
        );
      const findings: (() => void)[] = [];
      for (const [what, values] of SPELLINGS) {
        const found = await reaction(stage, what, values);
        const otherwise = `${what}: the client sent ${found}, and with the challenge as in the draft ${plain}`;
        findings.push(() => stage.holds(found === plain, `${otherwise} (${values.join(' | ')})`));
      }
      for (const [what, values] of LOOKALIKES) {
        if ((await reaction(stage, `not at all, but ${what}`, values)) === plain)
          findings.push(() => stage.observe(`${what}: taken for the challenge (${values.join(' | ')})`));
      }
      if ((await reaction(stage, 'as in the draft once more', PLAIN)) !== plain)
        stage.notApplicable('the client does not always do the same with the same challenge');
      for (const tell of findings) tell();
    },
  },
]);
