import {
  byteOrderMark,
  deepNesting,
  duplicateMember,
  hugeNumber,
  invalidUtf8,
  literalMember,
  loneSurrogate,
  utf16,
} from '../../harness/forge/json-text.ts';
import type { TextMaker } from '../../harness/forge/json-text.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { ProofPlan, RequestPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { ConnectFailure } from '../../harness/wire/connection.ts';

/** draft -06 §2.3, RFC 7515 §5.2, RFC 7519 §7.2: proofs that are no JWTs, or ambiguous ones. */

const FIRST_COUNTS =
  'Of a name that occurs twice the first value counts for one reader and the last for another. Parse once with a JSON parser that refuses repeated names or lets the last one count (RFC 7519 §4).';
const NOT_CAUGHT =
  'An error while the proof is taken apart is not caught. Whatever goes wrong there means that there is no valid proof: answer 401 invalid_proof.';
const UNREADABLE =
  'A proof that cannot be read, or lacks its claims, counts as verified. Refuse what does not parse as a whole (RFC 7515 §5.2, RFC 7519 §7.2), and demand each claim with its type.';
const NOT_UTF8 =
  'Octets that are not UTF-8 are replaced or skipped when the JSON is read. Decode strictly (RFC 7515 §5.2 step 3).';

/** Members whose wrong value must be refused wherever it counts. */
const REPEATED: readonly {
  readonly part: 'header' | 'claims';
  readonly name: string;
  readonly wrong: unknown;
}[] = [
  { part: 'claims', name: 'ekm', wrong: 'A'.repeat(43) },
  { part: 'claims', name: 'ath', wrong: 'A'.repeat(43) },
  { part: 'claims', name: 'iat', wrong: 1 },
  { part: 'header', name: 'alg', wrong: 'none' },
  { part: 'header', name: 'typ', wrong: 'dpop+jwt' },
];

function repeated({ part, name, wrong }: (typeof REPEATED)[number], escaped: boolean): Variation {
  const text = duplicateMember(name, wrong, 'right-then-wrong', escaped);
  return {
    what: `${name} twice, first right, then wrong${escaped ? ' with the name escaped' : ''}`,
    change: { proof: part === 'header' ? { headerText: text } : { payloadText: text } },
    differs: [`proof.${part}`, `proof.${part}.${name}`, ...(name === 'alg' ? ['proof.signature'] : [])],
  };
}

const compact = (text: string | ((right: string) => string)): ProofPlan => ({
  compact: typeof text === 'string' ? () => text : text,
});
const payload = (text: string | TextMaker): ProofPlan => ({
  payloadText: typeof text === 'string' ? () => text : text,
});
const header = (text: string | TextMaker): ProofPlan => ({
  headerText: typeof text === 'string' ? () => text : text,
});

type Garbage = readonly (readonly [what: string, proof: ProofPlan])[];

/** What is no JWT, in characters that HTTP allows, and no longer than an honest proof. */
const NO_JWT: Garbage = [
  ['nothing', compact('')],
  ['one dot', compact('.')],
  ['two dots', compact('..')],
  ['three dots', compact('...')],
  ['a word', compact('proof')],
  ['a.b.c', compact('a.b.c')],
  ['three parts of one octet', compact('AA.AA.AA')],
  ['percent-encoded NUL', compact('%00.%00.%00')],
  ['percent signs', compact('%.%%.%s%n%x')],
  ['JSON', compact('{"ath":"a","ekm":"b"}')],
  ['a quoted string', compact((right) => `"${right}"`)],
  ['an empty header', compact((right) => right.replace(/^[^.]*/, ''))],
  ['an empty payload', compact((right) => right.replace(/\.[^.]*\./, '..'))],
  ['1,000 dots', compact('.'.repeat(1000))],
  ['a header that is not JSON', header('proof')],
  ['a header that is a JSON array', header('[]')],
  ['a header that is a JSON string', header('"proof"')],
  ['a header that is null', header('null')],
  ['a header that is an empty object', header('{}')],
  ['a header cut short', header((right) => right.slice(0, -1))],
  ['a payload that is not JSON', payload('proof')],
  ['a payload that is a JSON array', payload('[]')],
  ['a payload that is a JSON string', payload('"proof"')],
  ['a payload that is a number', payload('1')],
  ['a payload that is null', payload('null')],
  ['a payload that is an empty object', payload('{}')],
  ['a payload cut short', payload((right) => right.slice(0, -1))],
  ['a payload with text after it', payload((right) => `${right}x`)],
  ['a payload with members of wrong types', payload('{"ath":{"toString":1},"ekm":[],"iat":"now"}')],
  ['a payload with members named like an object’s own', payload('{"__proto__":{"ath":"a"},"constructor":1}')],
  ['iat as NaN', payload(literalMember('iat', 'NaN'))],
  ['iat beyond all numbers', payload(literalMember('iat', '1e400'))],
  ['iat of 1,000 digits', payload(hugeNumber('iat', 1000))],
  ['UTF-16 in the payload', payload(utf16)],
  ['UTF-16 in the header', header(utf16)],
];

/** What a JSON reader may take or leave, so that only the manner of the answer is judged. */
const TAKE_OR_LEAVE: Garbage = [
  ['half a surrogate pair in the payload', payload(loneSurrogate)],
  ['half a surrogate pair in the header', header(loneSurrogate)],
  ['a byte order mark in the payload', payload(byteOrderMark)],
  ['arrays nested 1,000 deep in the payload', payload(deepNesting(1000))],
  ['arrays nested 1,000 deep in the header', header(deepNesting(1000))],
  ['a further claim of 1,000 digits', payload(hugeNumber('x', 1000))],
  ['invalid UTF-8 in the payload', payload(invalidUtf8)],
];

/** Octets that HTTP forbids in a field value (RFC 9110 §5.5), or leaves to the recipient. */
const OCTETS: Garbage = [
  ['NUL', compact('\0')],
  ['NUL within the proof', compact((right) => right.replace('.', '.\0'))],
  ['NUL after the proof', compact((right) => `${right}\0`)],
  ['control characters', compact('\x01\x02\x7f')],
  ['ISO 8859-1 letters', compact('ä.ö.ü')],
  ['invalid UTF-8', compact('\xc3\x28.\xff\xfe.\x80')],
  ['an overlong encoding of a dot', compact((right) => right.replace('.', '\xc0\xae'))],
];

const KIB = 1024;

/** Long values; how much a server takes is its own business, that it goes on serving is not. */
function oversized(full: boolean): Garbage {
  return [
    ['8 KiB', compact('A'.repeat(8 * KIB))],
    ['16 KiB of payload', payload(literalMember('x', `"${'A'.repeat(12 * KIB)}"`))],
    ['64 KiB', compact('A'.repeat(64 * KIB))],
    ['20,000 dots', compact('.'.repeat(20_000))],
    ...(full
      ? ([
          ['a million dots', compact('.'.repeat(1_000_000))],
          ['arrays nested 100,000 deep', payload(deepNesting(100_000))],
          ['a number of 1 MiB', payload(hugeNumber('iat', KIB * KIB))],
        ] as const)
      : []),
  ];
}

/** Sends a broken proof; on HTTP/2 beside a right request on the same connection, which must not suffer. */
async function besideARightOne(stage: Stage, what: string, plan: RequestPlan): Promise<Exchange> {
  if (stage.permutation.http !== 'h2') return stage.send(what, plan, {}, 'variant', 'a clean refusal');
  const [broken, right] = await Promise.all([
    stage.send(what, plan, {}, 'variant', 'a clean refusal'),
    stage.send(`the right request beside ${what}`, {}, {}, 'control', 'served'),
  ]);
  stage.holds(
    right.served,
    `${what}: the right request in the stream beside it was answered ${right.reading.text}`,
  );
  return broken;
}

/**
 * Sends each broken proof; judged: the answer is an orderly one, and the target goes on serving.
 *
 * @param may what else is in order than a refusal
 */
async function survives(
  stage: Stage,
  garbage: Garbage,
  may: readonly ('served' | 'cut')[] = [],
): Promise<void> {
  await stage.control();
  for (const [what, proof] of garbage) {
    try {
      const { reading } = await besideARightOne(stage, `a proof that is ${what}`, { proof });
      const orderly = reading.kind === 'refused' || may.some((each) => each === reading.kind);
      stage.holds(
        orderly,
        `a proof that is ${what}: ${reading.text}`,
        reading.kind === 'served' ? UNREADABLE : NOT_CAUGHT,
      );
      const after = await stage.send(`the right request after ${what}`, {}, {}, 'request', 'served');
      stage.holds(
        after.served,
        `after a proof that is ${what} the right request is answered ${after.reading.text}`,
      );
    } catch (error) {
      if (!(error instanceof ConnectFailure)) throw error;
      stage.holds(false, `after a proof that is ${what} no connection can be made: ${error.message}`);
      return;
    }
  }
}

export const malformedProofs = suite('resource-server', 'malformed-proofs', [
  {
    id: 'RS-PL-16',
    title: 'never lets the first of two members of the same name count',
    cause: FIRST_COUNTS,
    async run(stage) {
      const judged: (typeof REPEATED)[number][] = [];
      for (const member of REPEATED) {
        const { part, name, wrong } = member;
        const alone = await stage.send(`${name} wrong, and only once`, {
          proof: { [part]: { [name]: wrong } },
        });
        if (!alone.served) judged.push(member);
        else
          stage.note(
            `a wrong ${name} is served where it stands alone, so which of two counts cannot be told`,
          );
      }
      await stage.refuses(
        refused('invalid_proof'),
        judged.flatMap((member) => [repeated(member, false), repeated(member, true)]),
      );
      for (const { part, name, wrong } of REPEATED) {
        const text = duplicateMember(name, wrong, 'wrong-then-right');
        const proof = part === 'header' ? { headerText: text } : { payloadText: text };
        const { reading } = await stage.send(`${name} twice, first wrong, then right`, { proof });
        stage.note(`${name} twice, first wrong, then right: ${reading.text} (AMB-50)`);
      }
    },
  },
  {
    id: 'RS-PL-17',
    title: 'answers a proof that is no JWT with an orderly refusal and goes on serving',
    across: { http: AXES.http },
    cause: NOT_CAUGHT,
    async run(stage) {
      await survives(stage, NO_JWT);
      await survives(stage, TAKE_OR_LEAVE, ['served']);
    },
  },
  {
    id: 'RS-PL-17.octets',
    title: 'answers a proof with octets that no field value has in an orderly way and goes on serving',
    cause: NOT_CAUGHT,
    across: { http: ['http/1.1'] },
    async run(stage) {
      await survives(stage, OCTETS, ['cut']);
    },
  },
  {
    id: 'RS-PL-17.oversized',
    title: 'answers an oversized proof in an orderly way and goes on serving',
    cause: NOT_CAUGHT,
    async run(stage) {
      await survives(stage, oversized(stage.full), ['cut']);
    },
  },
  {
    id: 'RS-PL-17.encoding',
    title: 'refuses a proof whose JSON is not UTF-8',
    cause: NOT_UTF8,
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [
        { what: 'invalid UTF-8 in the payload', change: { proof: payload(invalidUtf8) }, differs: ['proof'] },
        { what: 'invalid UTF-8 in the header', change: { proof: header(invalidUtf8) }, differs: ['proof'] },
      ]);
    },
  },
]);
