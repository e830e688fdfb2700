import { escapedNames, memberAs } from '../../harness/forge/json-text.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import type { RequestPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { refusesAll } from './misnamed.ts';

/** RFC 7515 §5.3, RFC 7519 §7.3, RFC 8259 §8.3: names are unescaped, and then compared code point by code point. */

const NORMALIZED =
  'Names of members are normalized before they are compared, so that another name passes for the one that is meant. Compare them code point by code point, without normalization or trimming (RFC 7515 §5.3).';
const NOT_UNESCAPED =
  'Names or values are searched for in the JSON text, where an escaped character is not found. Parse the JSON first, then compare (RFC 8259 §8.3).';

/** The full-width forms of printable ASCII, which compatibility normalization (NFKC) turns into that. */
export function fullWidth(text: string): string {
  return text.replace(/[!-~]/g, (character) => String.fromCodePoint(character.charCodeAt(0) + 0xfee0));
}

/** Names that some folding or trimming turns into the one that is meant. */
function otherForms(name: string): readonly (readonly [how: string, as: string])[] {
  const [first, rest] = [name.slice(0, 1), name.slice(1)];
  return [
    ['in full-width letters', fullWidth(name)],
    ['with an accent', `${first}\u0301${rest}`],
    ['with a zero-width space inside', `${first}\u200b${rest}`],
    ['with a space after it', `${name} `],
    ['with a NUL after it', `${name}\0`],
  ];
}

const CLAIMS = ['ekm', 'ath', 'iat'];

function renamed(name: string, how: string, as: string): Variation {
  return {
    what: `${name} is there ${how} only`,
    change: { proof: { payloadText: memberAs(name, as) } },
    differs: [`proof.claims.${name}`, `proof.claims.${as}`],
  };
}

/** A header with another type, and the right one under a name that resembles typ. */
function typedAs(how: string, as: string): Variation {
  return {
    what: `typ is dpop+jwt, and typ ${how} after it has the right value`,
    change: { proof: { header: { typ: 'dpop+jwt', [as]: 'tls-binding-proof+jwt' } } },
  };
}

const without = (name: string): RequestPlan => ({ proof: { claims: { [name]: undefined } } });

export const unicodeNames = suite('resource-server', 'unicode-names', [
  {
    id: 'RS-PL-1.unicode',
    title:
      'takes claims and header parameters from the members of exactly these names, in no other Unicode form',
    cause: NORMALIZED,
    async run(stage) {
      await refusesAll(stage, refused('invalid_proof'), [
        ...CLAIMS.map((name) => ({
          what: `${name} is left out`,
          wrong: without(name),
          variations: otherForms(name)
            .filter((_, index) => name === 'ekm' || stage.full || index === 0)
            .map(([how, as]) => renamed(name, how, as)),
        })),
        {
          what: 'typ is dpop+jwt',
          wrong: { proof: { header: { typ: 'dpop+jwt' } } },
          variations: otherForms('typ')
            .filter((_, index) => stage.full || index === 0)
            .map(([how, as]) => typedAs(how, as)),
        },
      ]);
    },
  },
  {
    id: 'RS-PL-1.escaped',
    title: 'reads header and payload whose names are written with \\u escapes',
    cause: { rejected: NOT_UNESCAPED },
    async run(stage) {
      await stage.control();
      await stage.accepts('the names in the payload begin with an escaped character', {
        proof: { payloadText: escapedNames },
      });
      await stage.accepts('the names in the header begin with an escaped character', {
        proof: { headerText: escapedNames },
      });
    },
  },
]);
