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
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { compact, header, NOT_CAUGHT, payload, survives } from './survival.ts';
import type { Oddities } from './survival.ts';

/** draft -06 §2.3, RFC 7515 §5.2, RFC 7519 §7.2: proofs that are no JWTs, or ambiguous ones. */

const FIRST_COUNTS =
  'Of a name that occurs twice the first value counts for one reader and the last for another. Parse once with a JSON parser that refuses repeated names or lets the last one count (RFC 7519 §4).';
const TOO_LONG =
  'A long proof is an error that nothing catches, such as that of a column or buffer of fixed length. Refuse what is too long with 401 invalid_proof or 431, or end its connection, and go on serving; a long proof that is right may be served.';
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

/** What is no JWT, in characters that HTTP allows, and no longer than an honest proof. */
const NO_JWT: Oddities = [
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
const TAKE_OR_LEAVE: Oddities = [
  ['half a surrogate pair in the payload', payload(loneSurrogate)],
  ['half a surrogate pair in the header', header(loneSurrogate)],
  ['a byte order mark in the payload', payload(byteOrderMark)],
  ['arrays nested 1,000 deep in the payload', payload(deepNesting(1000))],
  ['arrays nested 1,000 deep in the header', header(deepNesting(1000))],
  ['a further claim of 1,000 digits', payload(hugeNumber('x', 1000))],
  ['invalid UTF-8 in the payload', payload(invalidUtf8)],
];

/** Octets that HTTP forbids in a field value (RFC 9110 §5.5), or leaves to the recipient. */
const OCTETS: Oddities = [
  ['NUL', compact('\0')],
  ['NUL within the proof', compact((right) => right.replace('.', '.\0'))],
  ['NUL after the proof', compact((right) => `${right}\0`)],
  ['control characters', compact('\x01\x02\x7f')],
  ['ISO 8859-1 letters', compact('ä.ö.ü')],
  ['invalid UTF-8', compact('\xc3\x28.\xff\xfe.\x80')],
  ['an overlong encoding of a dot', compact((right) => right.replace('.', '\xc0\xae'))],
];

const KIB = 1024;

/** Long values that are no proofs; how much a server takes is its own business, that it goes on serving is not. */
function oversized(full: boolean): Oddities {
  return [
    ['8 KiB', compact('A'.repeat(8 * KIB))],
    ['64 KiB', compact('A'.repeat(64 * KIB))],
    ['20,000 dots', compact('.'.repeat(20_000))],
    ...(full
      ? ([
          ['a million dots', compact('.'.repeat(1_000_000))],
          ['a number of 1 MiB', payload(hugeNumber('iat', KIB * KIB))],
        ] as const)
      : []),
  ];
}

/**
 * Long proofs that are right: the claim that makes them long is one to ignore (RS-PL-14), so that a server which takes
 * so long a head serves them.
 */
function longButRight(full: boolean): Oddities {
  return [
    ['one with a further claim of 12 KiB', payload(literalMember('x', `"${'A'.repeat(12 * KIB)}"`))],
    ...(full
      ? ([['one with arrays nested 100,000 deep in a further claim', payload(deepNesting(100_000))]] as const)
      : []),
  ];
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
      if (judged.length === 0)
        stage.inconclusive(
          'every wrong member is served where it stands alone, see RS-EKM-1 and RS-PL-2',
          'target',
        );
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
    cause: TOO_LONG,
    async run(stage) {
      await survives(stage, oversized(stage.full), ['cut'], TOO_LONG);
      await survives(stage, longButRight(stage.full), ['served', 'cut'], TOO_LONG);
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
