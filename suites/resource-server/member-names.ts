import { memberAs, memberBeside, memberValues } from '../../harness/forge/json-text.ts';
import type { TextMaker } from '../../harness/forge/json-text.ts';
import { naturalAlgorithm } from '../../harness/forge/jws.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { combine } from '../../harness/scenario/request.ts';
import type { RequestPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { ANY_CASE, BY_POSITION, refusesAll, UNKNOWN_MEMBER } from './misnamed.ts';
import type { Misnamed } from './misnamed.ts';
import { tied } from './per-request-claims.ts';

/** RFC 7519 §4, §7.3, RFC 7515 §5.3, RFC 8259 §8.3: members are found by their names, compared code point for code point. */

/** What a wrong value looks like: text or number as the right one is. */
const WRONG = { ath: 'A'.repeat(43), ekm: 'A'.repeat(43), iat: 1 };
type ClaimName = keyof typeof WRONG;
const CLAIMS: readonly ClaimName[] = ['ath', 'ekm', 'iat'];

/** U+212A, the Kelvin sign, which is a `k` to whoever folds letter case by Unicode's rules. */
const KELVIN_EKM = 'e\u212Am';

const payload = (text: TextMaker): RequestPlan => ({ proof: { payloadText: text } });

/** A claim of the right value under another name alone. */
function renamed(name: ClaimName, as: string): Variation {
  return {
    what: `${name} is there as ${as} only`,
    change: payload(memberAs(name, as)),
    differs: [`proof.claims.${name}`, `proof.claims.${as}`],
  };
}

/** A wrong claim, and the right value under another name, before or after it. */
function covered(name: ClaimName, as: string, place: 'before' | 'after'): Variation {
  return {
    what: `${name} is wrong, and ${as} ${place} it has the right value`,
    change: payload(memberBeside(name, { value: WRONG[name], as, asValue: 'right', place })),
    differs: [`proof.claims.${name}`, `proof.claims.${as}`],
  };
}

/** The same for a claim that ties the proof to its request, where the right value is known. */
function coveredTie(name: 'htm' | 'htu', wrong: string, right: string): Misnamed {
  const as = name.toUpperCase();
  const what = `${name} is wrong, and ${as} after it has the right value`;
  return {
    what: `${name} is wrong`,
    wrong: claims({ [name]: wrong }),
    variations: [{ what, change: claims({ [name]: wrong, [as]: right }) }],
  };
}

/** Each order of these. */
function orders<T>(all: readonly T[]): readonly (readonly T[])[] {
  if (all.length < 2) return [all];
  return all.flatMap((first) => orders(all.filter((one) => one !== first)).map((rest) => [first, ...rest]));
}

/** How many claims and parameters that may be left out a program declares after those that must be there. */
const OPTIONAL = [0, 3, 5];

function inOrder(part: 'header' | 'payload', names: readonly string[], optional: number): Variation {
  const text = memberValues(names, optional);
  const more = optional === 0 ? '' : ` and ${optional} times null`;
  return {
    what: `the ${part} is an array of ${names.join(', ')}${more}`,
    change: { proof: part === 'header' ? { headerText: text } : { payloadText: text } },
    differs: ['proof'],
  };
}

const HEADER = ['typ', 'alg', 'x5t#S256'];

const claims = (members: Readonly<Record<string, unknown>>): RequestPlan => ({ proof: { claims: members } });
const header = (members: Readonly<Record<string, unknown>>): RequestPlan => ({ proof: { header: members } });

export const memberNames = suite('resource-server', 'member-names', [
  {
    id: 'RS-PL-1.names',
    title: 'takes ath, ekm and iat from the claims of exactly these names',
    cause: ANY_CASE,
    async run(stage) {
      const others = { ath: ['ATH'], ekm: ['EKM', 'Ekm', KELVIN_EKM], iat: ['IAT'] };
      await refusesAll(
        stage,
        refused('invalid_proof'),
        CLAIMS.flatMap((name) => [
          {
            what: `${name} is left out`,
            wrong: claims({ [name]: undefined }),
            variations: others[name].map((as) => renamed(name, as)),
          },
          {
            what: `${name} is wrong`,
            wrong: claims({ [name]: WRONG[name] }),
            variations: (['after', 'before'] as const).map((place) =>
              covered(name, name.toUpperCase(), place),
            ),
          },
        ]),
      );
    },
  },
  {
    id: 'RS-PL-1.positional',
    title: 'refuses a proof whose header or payload lists its values without their names',
    cause: BY_POSITION,
    async run(stage) {
      await refusesAll(stage, refused('invalid_proof'), [
        {
          what: 'the payload is an empty array',
          wrong: payload(() => '[]'),
          variations: OPTIONAL.flatMap((optional) =>
            orders(CLAIMS).map((names) => inOrder('payload', names, optional)),
          ),
        },
        {
          what: 'the header is an empty array',
          wrong: { proof: { headerText: () => '[]' } },
          variations: orders(HEADER).map((names) => inOrder('header', names, 0)),
        },
      ]);
    },
  },
  {
    id: 'RS-PL-10.names',
    title: 'takes htm from the claim of exactly this name',
    cause: ANY_CASE,
    async run(stage) {
      await refusesAll(stage, refused('invalid_proof'), [coveredTie('htm', 'POST', 'GET')], tied(stage));
    },
  },
  {
    id: 'RS-PL-11.names',
    title: 'takes htu from the claim of exactly this name',
    cause: ANY_CASE,
    async run(stage) {
      const { htu } = stage.perRequest();
      const other = stage.perRequest('GET', '/tsbt-elsewhere').htu;
      await refusesAll(stage, refused('invalid_proof'), [coveredTie('htu', other, htu)], tied(stage));
    },
  },
  {
    id: 'RS-PL-14.names',
    title: 'ignores claims that are named like its own but for letter case',
    cause: { rejected: UNKNOWN_MEMBER },
    async run(stage) {
      await stage.control();
      for (const name of CLAIMS) {
        for (const place of ['after', 'before'] as const) {
          const as = name.toUpperCase();
          const text = memberBeside(name, { value: 'right', as, asValue: WRONG[name], place });
          await stage.accepts(`a right ${name}, and a wrong ${as} ${place} it`, payload(text));
        }
      }
      const base = tied(stage);
      const tie = await stage.send('a proof with jti, htm and htu', base);
      if (!tie.served) return stage.note(`claims of the request were not tried: ${tie.reading.text}`);
      for (const [as, value] of Object.entries({ HTM: 'POST', HTU: '/tsbt-elsewhere' }))
        await stage.accepts(
          `a right ${as.toLowerCase()}, and a wrong ${as} after it`,
          combine(base, { proof: { claims: { [as]: value } } }),
        );
    },
  },
  {
    id: 'RS-HDR-1.names',
    title: 'takes typ and alg from the header parameters of exactly these names',
    cause: { served: ANY_CASE, rejected: UNKNOWN_MEMBER },
    async run(stage) {
      const typ = 'tls-binding-proof+jwt';
      await refusesAll(stage, refused('invalid_proof'), [
        {
          what: 'typ is dpop+jwt',
          wrong: header({ typ: 'dpop+jwt' }),
          variations: ['TYP', 'Typ'].map((as) => ({
            what: `typ is dpop+jwt, and ${as} after it has the right value`,
            change: header({ typ: 'dpop+jwt', [as]: typ }),
          })),
        },
        {
          what: 'alg is none',
          wrong: header({ alg: 'none' }),
          variations: [
            {
              what: 'alg is none, and ALG after it is that of the signature',
              change: header({ alg: 'none', ALG: naturalAlgorithm(stage.alice.keyType) }),
              differs: ['proof.header.alg', 'proof.header.ALG', 'proof.signature'],
            },
          ],
        },
      ]);
      for (const [as, value] of Object.entries({ TYP: 'dpop+jwt', ALG: 'none', 'X5T#S256': 'A'.repeat(43) }))
        await stage.accepts(`a right header, and ${as} is ${value}`, header({ [as]: value }));
    },
  },
]);
