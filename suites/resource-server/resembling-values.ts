import { naturalAlgorithm } from '../../harness/forge/jws.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import type { Expectation } from '../../harness/scenario/expectation.ts';
import type { RequestPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { fullWidth } from './unicode-names.ts';

/** RFC 7515 §4.1.1, §5.3, RFC 7519 §2, RFC 8725 §3.11, RFC 9068 §4: values are compared whole, character by character. */

const TYPE_IN_PART =
  'typ is searched for the right type, or compared at its beginning or end only, so that another type passes that contains it. Compare the whole text (RFC 8725 §3.11).';
const ALGORITHM_LOOSELY =
  'alg is brought into another form before it is looked up: other letter case, no white space, another alphabet, or the name of a library. It is one of the registered names, letter for letter (RFC 7515 §4.1.1).';
const IN_PART =
  'iss or aud of the token is searched for the right value, or compared at its beginning or end only, so that another issuer or audience passes that contains it, or is contained in it. Compare the whole text (RFC 9068 §4).';
const AS_LIST =
  'iss or aud of the token is taken for a list, or for something to look into, where it is none. iss is one string; aud is one string or an array of strings, and one of them is the audience (RFC 7519 §4.1.1, §4.1.3).';
const AS_URL =
  'iss and aud of the token are compared as URLs after normalization. They are compared as strings without any transformation (RFC 7519 §2, StringOrURI).';

const TYPE = 'tls-binding-proof+jwt';

const CONTAINING_TYPES = [
  `dpop+jwt;profile=${TYPE}`,
  `${TYPE}.other`,
  `dpop+jwt,${TYPE},at+jwt`,
  `text/${TYPE}`,
  `x-${TYPE}`,
  `application/x/${TYPE}`,
  `${TYPE},dpop+jwt`,
  `dpop+jwt ${TYPE}`,
  `${TYPE}\0.other`,
];

/** Of each table so many rows come first that tell all mistakes; the others are for the full profile. */
const TELLING = { types: 4, algorithms: 4, parts: 4, lists: 3, equivalent: 2 };

function first<T>(stage: Stage, table: keyof typeof TELLING, rows: readonly T[]): readonly T[] {
  return stage.full ? rows : rows.slice(0, TELLING[table]);
}

/** Names that library or protocol give to the algorithm that goes with a key type. */
const OTHER_NAMES: Readonly<Record<string, readonly unknown[]>> = {
  'P-256': ['SHA256withECDSA', 'ecdsa-with-SHA256', 'ECDSA', -7],
  'P-384': ['SHA384withECDSA', 'ECDSA', -35],
  'P-521': ['SHA512withECDSA', 'ECDSA', -36],
  RSA: ['SHA256withRSA', 'RSA', -257],
  Ed25519: ['ed25519', 'EDDSA', -8],
};

function algorithmSpellings(keyType: string): readonly unknown[] {
  const right = naturalAlgorithm(keyType);
  const letters = right === right.toUpperCase() ? right.toLowerCase() : right.toUpperCase();
  const [name, ...names] = OTHER_NAMES[keyType] ?? [];
  return [
    letters,
    `${right} `,
    fullWidth(right),
    name,
    ` ${right}`,
    `${right}\0`,
    `${right.slice(0, 2)}-${right.slice(2)}`,
    `${right},none`,
    ...names,
  ];
}

/** A claim of the token with the values that are not the right one. */
interface Claim {
  readonly name: 'iss' | 'aud';
  readonly right: string;
}

const OTHER = 'https://elsewhere.tsbt.test';

function containing({ right }: Claim): readonly unknown[] {
  return [
    right.slice(0, -1),
    `${right}.elsewhere.test`,
    `${OTHER}/?${right}`,
    right.slice('https://'.length),
    '',
    right.slice(0, 'https://as'.length),
    `${right}/tenant`,
    `${right}@elsewhere.test`,
    right.replace('https:', 'http:'),
  ];
}

function lists({ name, right }: Claim): readonly unknown[] {
  return [
    `${OTHER} ${right}`,
    name === 'iss' ? [OTHER, right] : [`${right}.elsewhere.test`],
    { [right]: true },
    `${right} ${OTHER}`,
    `${OTHER},${right}`,
    ...(name === 'iss' ? [[right]] : [[[right]], []]),
  ];
}

/** Other spellings of the same URL (RFC 3986 §6.2). */
function equivalent({ right }: Claim): readonly unknown[] {
  return [
    `${right}/`,
    `${right}:443`,
    right.toUpperCase(),
    right.replace(/\/\/(.)/, (_, letter: string) => `//${letter.toUpperCase()}`),
    `${right} `,
  ];
}

function claimed({ name }: Claim, value: unknown, cause: string): Variation {
  return {
    what: `${name} of the token is ${JSON.stringify(value)}`,
    change: { token: { claims: { [name]: value } } },
    differs: [`token.claims.${name}`],
    cause,
  };
}

function claimsOf(stage: Stage): readonly Claim[] {
  const { issuer, audience } = stage.setting.issuer;
  return [
    { name: 'iss', right: issuer },
    { name: 'aud', right: audience },
  ];
}

/** Judges the rows whose plainly wrong neighbors are refused; of others it cannot be told how they are compared. */
async function refusesLoosely(
  stage: Stage,
  expectation: Expectation,
  cases: readonly { readonly wrong: readonly Variation[]; readonly rows: readonly Variation[] }[],
  see: string,
): Promise<void> {
  await stage.control();
  const judged: Variation[] = [];
  for (const { wrong, rows } of cases) {
    let served: string | undefined;
    for (const { what, change } of wrong)
      if (served === undefined && (await stage.send(what, change)).served) served = what;
    if (served === undefined) judged.push(...rows);
    else stage.note(`${served}: served, so that it cannot be told how values are compared; see ${see}`);
  }
  if (judged.length === 0) stage.notApplicable(`these values are not compared at all; see ${see}`);
  await stage.refuses(expectation, judged);
}

const header = (members: Readonly<Record<string, unknown>>): RequestPlan => ({ proof: { header: members } });

function algorithm(alg: unknown): Variation {
  return {
    what: `alg is ${JSON.stringify(alg)}, and the signature is right`,
    change: header({ alg }),
    differs: ['proof.header.alg', 'proof.signature'],
    cause: ALGORITHM_LOOSELY,
  };
}

export const resemblingValues = suite('resource-server', 'resembling-values', [
  {
    id: 'RS-HDR-1.part',
    title: 'rejects a proof whose type only contains the right one',
    cause: TYPE_IN_PART,
    async run(stage) {
      const typed = (typ: string): Variation => ({
        what: `typ is ${JSON.stringify(typ)}`,
        change: header({ typ }),
        cause: TYPE_IN_PART,
      });
      await refusesLoosely(
        stage,
        refused('invalid_proof'),
        [{ wrong: [typed('dpop+jwt')], rows: first(stage, 'types', CONTAINING_TYPES).map(typed) }],
        'RS-HDR-1',
      );
    },
  },
  {
    id: 'RS-HDR-3.spelling',
    title: 'rejects a proof whose alg is another spelling of the right algorithm',
    cause: ALGORITHM_LOOSELY,
    async run(stage) {
      const rows = first(stage, 'algorithms', algorithmSpellings(stage.alice.keyType)).map(algorithm);
      await refusesLoosely(
        stage,
        refused('invalid_proof'),
        [{ wrong: [algorithm('XS256')], rows }],
        'RS-HDR-3',
      );
    },
  },
  {
    id: 'RS-TOK-1.resembling',
    title: 'rejects a token whose iss or aud contains the right value, is part of it, or is a list of values',
    cause: IN_PART,
    async run(stage) {
      const cases = claimsOf(stage).map((claim) => ({
        wrong: [claimed(claim, OTHER, IN_PART)],
        rows: [
          ...first(stage, 'parts', containing(claim)).map((value) => claimed(claim, value, IN_PART)),
          ...first(stage, 'lists', lists(claim)).map((value) => claimed(claim, value, AS_LIST)),
        ],
      }));
      await refusesLoosely(stage, refused('invalid_token'), cases, 'RS-TOK-1');
      const [, audience] = claimsOf(stage);
      const several = { claims: { aud: [OTHER, audience?.right] } };
      const listed = await stage.send('aud of the token is an array with the right value', {
        token: several,
      });
      if (!listed.served)
        stage.observe(
          'a token for several audiences, of which this server is one, is refused (RFC 7519 §4.1.3)',
        );
    },
  },
  {
    id: 'RS-TOK-1.equivalent',
    title: 'compares iss and aud of a token as strings, not as URLs that may be spelled differently',
    cause: AS_URL,
    async run(stage) {
      const cases = claimsOf(stage).map((claim) => ({
        wrong: [OTHER, `${claim.right}.elsewhere.test`, `${OTHER}/?${claim.right}`].map((value) =>
          claimed(claim, value, IN_PART),
        ),
        rows: first(stage, 'equivalent', equivalent(claim)).map((value) => claimed(claim, value, AS_URL)),
      }));
      await refusesLoosely(stage, refused('invalid_token'), cases, 'RS-TOK-1 and RS-TOK-1.resembling');
    },
  },
]);
