import { refused, refusedExactly } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { UNREADABLE } from '../../harness/scenario/stage.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { bearerChallenges, challengeProblems } from './challenge-syntax.ts';
import {
  eachRefused,
  invalidProofs,
  missingProof,
  protectedRequest,
  refusals,
  sendFailure,
} from './proof-failures.ts';

/** draft -06 §3.5: how a refusal looks. */

const NOT_401 =
  'A proof that fails is not answered with 401 and a WWW-Authenticate field with a Bearer challenge. Answer every failed check so; clients tell from the challenge what to do next.';
const NOT_CAUGHT =
  'An error while the proof is checked is not caught. Whatever cannot be verified is answered with 401.';
const ENDED =
  'The connection is ended instead of an answer. Answer a failed check with 401 and a challenge; clients tell from it what to do next.';
const OTHER_CODE =
  'A proof that was sent and fails is refused under another name than invalid_proof, so that the client does not know to make a new proof.';
const MISSING_CODE =
  'use_session_binding is for requests without a proof, and for them only: it tells a client that a proof is demanded at all, not that one was wrong.';
const NO_REASON =
  'The challenge has no error_description. One fixed sentence for each failed check saves implementers of clients days.';

export const errorResponses = suite('resource-server', 'error-responses', [
  {
    id: 'RS-ERR-1',
    title: 'answers every proof failure with 401 and a Bearer challenge',
    across: { http: AXES.http },
    cause: { 'other-manner': NOT_401, 'server-error': NOT_CAUGHT, ended: ENDED },
    async run(stage) {
      await eachRefused(stage, refusedExactly('401'), [
        ...(await invalidProofs(stage)),
        missingProof(protectedRequest(stage)),
      ]);
    },
  },
  {
    id: 'RS-ERR-2',
    title: 'names the error invalid_proof where a proof was sent and fails',
    across: { http: AXES.http },
    cause: { 'other-manner': OTHER_CODE, 'server-error': NOT_CAUGHT, ended: ENDED },
    async run(stage) {
      await eachRefused(stage, refusedExactly('invalid_proof'), await invalidProofs(stage));
    },
  },
  {
    id: 'RS-ERR-3',
    title: 'names the error use_session_binding where the proof is missing, and only there',
    across: { http: AXES.http },
    cause: {
      statement: MISSING_CODE,
      'other-manner':
        'A request without a proof is refused under another name than use_session_binding, so that the client does not learn that a proof is demanded.',
      'server-error': NOT_CAUGHT,
      ended: ENDED,
    },
    async run(stage) {
      await eachRefused(stage, refusedExactly('use_session_binding'), [
        missingProof(protectedRequest(stage)),
      ]);
      let refusedOnes = 0;
      for (const failure of await invalidProofs(stage)) {
        const { reading, served } = await sendFailure(stage, failure, 'not use_session_binding');
        if (!served) refusedOnes++;
        stage.holds(
          reading.kind !== 'refused' || reading.error !== 'use_session_binding',
          `${failure.variation.what}: refused with use_session_binding although a proof was sent`,
        );
      }
      if (refusedOnes === 0)
        stage.inconclusive(
          'no invalid proof was refused, so there was no refusal that could have the wrong code: see RS-SIG-1',
          'target',
        );
    },
  },
  {
    id: 'RS-ERR-4',
    title: 'sends challenges that parse, on one line, in the characters that are permitted',
    across: { http: AXES.http },
    cause:
      'A text is put into the challenge as it is. Quote parameter values, leave out " and \\ and what is not printable ASCII (RFC 6750 §3), and never fold the field (RFC 9112 §5.2).',
    async run(stage) {
      const refused = (await refusals(stage)).filter(
        ({ outcome }) => outcome.type === 'response' && outcome.status === 401,
      );
      if (refused.length === 0)
        stage.notApplicable(
          'no refusal was answered with 401, so there is no challenge to look at; see RS-ERR-1',
        );
      for (const { id, outcome } of refused) {
        for (const problem of challengeProblems(outcome)) stage.holds(false, `exchange ${id}: ${problem}`);
      }
    },
  },
  {
    id: 'RS-ERR-5',
    title: 'explains each failure in an error_description',
    async run(stage) {
      let explained = 0;
      for (const failure of [...(await invalidProofs(stage)), missingProof(protectedRequest(stage))]) {
        const { what } = failure.variation;
        const { outcome, reading } = await sendFailure(stage, failure, 'an error_description');
        if (reading.kind !== 'refused') stage.note(`${what}: answered ${reading.text}, see RS-ERR-1`);
        else {
          explained++;
          stage.holds(
            bearerChallenges(outcome).some(({ parameters }) =>
              /\S/.test(parameters.get('error_description') ?? ''),
            ),
            `${what}: refused with ${reading.text} and without an error_description`,
            reading.unreadable === undefined ? NO_REASON : UNREADABLE,
          );
        }
      }
      if (explained === 0)
        stage.notApplicable(
          'no proof failure was answered with a refusal, so there is nothing to explain; see RS-ERR-1',
        );
    },
  },
  {
    id: 'RS-ERR-7',
    title: 'refuses a request that has several faults at once',
    cause:
      'One fault of the request makes the target pass over the others, or none of them is noticed by itself either (see RS-FLD-1, RS-SIG-1, RS-EKM-1 and RS-PL-2). Refuse at the first check that fails.',
    async run(stage) {
      await stage.refuses(
        refused('401'),
        severalFaults(stage).map(({ variation }) => variation),
      );
    },
  },
  {
    id: 'RS-ERR-7.code',
    title: 'names one of the faults where a request has several',
    cause: {
      'other-manner': 'The code belongs to none of the faults that the request has.',
      'server-error': NOT_CAUGHT,
      ended: ENDED,
    },
    async run(stage) {
      await stage.refuses(
        refused('401'),
        severalFaults(stage).map(({ variation, codes }) => ({
          ...variation,
          expect: refusedExactly(...codes),
        })),
      );
    },
  },
]);

type Code = 'invalid_token' | 'invalid_proof' | 'use_session_binding';

function severalFaults(
  stage: Stage,
): readonly { readonly variation: Variation; readonly codes: readonly Code[] }[] {
  const wrong = Buffer.alloc(32, 7).toString('base64url');
  const longAgo = Math.floor(Date.now() / 1000) - 86_400;
  return [
    {
      codes: ['invalid_token', 'use_session_binding'],
      variation: {
        what: 'the token has expired and the proof is missing',
        change: { token: { lifetime: -3600 }, proof: null },
      },
    },
    {
      codes: ['invalid_token', 'invalid_proof'],
      variation: {
        what: 'the certificate is another one and the signature is by neither’s key',
        connect: { identity: stage.mallory },
        change: { token: { boundTo: stage.alice }, proof: { signWith: stage.setting.pki.server } },
        differs: ['connection.certificate', 'token.claims.cnf.x5t#S256', 'proof.signature'],
      },
    },
    {
      codes: ['invalid_proof'],
      variation: {
        what: 'iat is a day ago and ekm is another value',
        change: { proof: { claims: { iat: longAgo, ekm: wrong } } },
      },
    },
    {
      codes: ['invalid_proof'],
      variation: {
        what: 'ath is another hash and the signature is by another key',
        change: { proof: { claims: { ath: wrong }, signWith: stage.mallory } },
      },
    },
  ];
}
