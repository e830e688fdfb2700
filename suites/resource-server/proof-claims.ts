import { literalMember } from '../../harness/forge/json-text.ts';
import type { Token } from '../../harness/forge/token.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import type { ProofPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';

/** draft -06 §2.3.2, §2.3.2.1: the claims that every proof has. */

const NOT_REQUIRED =
  'A claim is checked only where it is present. Refuse a proof that lacks ath, ekm or iat before anything is compared.';
const NO_WINDOW =
  'iat is not held against a window, or with the wrong unit. It is in seconds: refuse what lies further from the server’s clock, back or ahead, than a few minutes.';
const NOT_A_NUMBER =
  'iat is used without a look at its type, and a comparison with something that is no number is never true. Refuse whatever is not a finite JSON number.';
const LENIENT =
  'The claim is converted or decoded leniently before it is compared. Require a JSON string, and compare it with the unpadded base64url text that is expected.';

const MINUTE = 60;
const DAY = 86_400;
const YEAR = 365 * DAY;

/** Seconds since 1970. */
function clock(): number {
  return Math.floor(Date.now() / 1000);
}

function issuedAt(what: string, iat: unknown): Variation {
  return { what, change: { proof: { claims: { iat } } } };
}

/** `iat` with just this text as its value. */
function issuedAtText(literal: string): Variation {
  return {
    what: `iat is ${literal}`,
    change: { proof: { payloadText: literalMember('iat', literal) } },
    differs: ['proof.claims', 'proof.claims.iat'],
  };
}

/** The two claims that are compared as text, each with the way to put something else in its place. */
const TEXT_CLAIMS: readonly {
  readonly name: 'ath' | 'ekm';
  readonly made: (from: (right: string) => unknown) => ProofPlan;
}[] = [
  { name: 'ath', made: (from) => ({ ath: (token) => from(token.sha256) }) },
  { name: 'ekm', made: (from) => ({ ekm: (connection) => from(exporterText(connection)) }) },
];

function exporterText(connection: Connection): string {
  return connection.exporter().toString('base64url');
}

const WRONG_TYPES: readonly { readonly what: string; readonly from: (right: string) => unknown }[] = [
  { what: 'a number', from: () => 42 },
  { what: 'true', from: () => true },
  { what: 'an array with the right string', from: (right) => [right] },
  { what: 'an object with the right string', from: (right) => ({ value: right }) },
];

const WRONG_ENCODINGS: readonly { readonly what: string; readonly from: (right: string) => unknown }[] = [
  { what: 'the right value in capitals', from: (right) => right.toUpperCase() },
  {
    what: 'the right value with a space inside',
    from: (right) => `${right.slice(0, 20)} ${right.slice(20)}`,
  },
  {
    what: 'the right value with a line break inside',
    from: (right) => `${right.slice(0, 20)}\n${right.slice(20)}`,
  },
  { what: 'the right value with a space before it', from: (right) => ` ${right}` },
  { what: 'the right value with a space after it', from: (right) => `${right} ` },
  {
    what: 'the right value, its first character percent-encoded',
    from: (right) => `%${hex(right)}${right.slice(1)}`,
  },
];

function hex(text: string): string {
  return text.charCodeAt(0).toString(16).toUpperCase();
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The same octets to a decoder that ignores the unused bits of the last character (RFC 4648 §3.5). */
function uncanonical(right: string): string {
  return right.slice(0, -1) + (BASE64URL[BASE64URL.indexOf(right.at(-1) ?? '') ^ 1] ?? '');
}

/** Whether base64 and base64url spell a value differently. */
const SPELT_DIFFERENTLY = /[-_]/;

function inStandardAlphabet(text: string): string {
  return text.replaceAll('-', '+').replaceAll('_', '/');
}

/** So many characters from its beginning a hash is to tell the alphabets apart, for a target that does not look at all of it. */
const TELLING = 20;

/** A token whose hash tells base64 from base64url early on; every other one does. */
async function tellingToken(stage: Stage): Promise<Token> {
  let token = await stage.mint();
  for (let tries = 0; tries < 50 && !SPELT_DIFFERENTLY.test(token.sha256.slice(0, TELLING)); tries++)
    token = await stage.mint();
  return token;
}

/** A connection whose exporter value tells base64 from base64url; three of four do. */
async function tellingConnection(stage: Stage): Promise<Connection | undefined> {
  for (let tries = 0; tries < 8; tries++) {
    const connection = await stage.connect();
    if (SPELT_DIFFERENTLY.test(exporterText(connection))) return connection;
  }
  return undefined;
}

async function standardAlphabet(stage: Stage): Promise<readonly Variation[]> {
  const what = 'is the right value in the standard base64 alphabet';
  const connection = await tellingConnection(stage);
  return [
    {
      what: `ath ${what}`,
      change: {
        token: await tellingToken(stage),
        proof: { ath: (token) => inStandardAlphabet(token.sha256) },
      },
    },
    ...(connection === undefined
      ? []
      : [
          {
            what: `ekm ${what}`,
            on: connection,
            change: { proof: { ekm: (here: Connection) => inStandardAlphabet(exporterText(here)) } },
          },
        ]),
  ];
}

export const proofClaims = suite('resource-server', 'proof-claims', [
  {
    id: 'RS-PL-1',
    title: 'refuses a proof that lacks ath, ekm or iat',
    cause: NOT_REQUIRED,
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [
        ...['ath', 'ekm', 'iat'].flatMap((name) => [
          { what: `${name} is left out`, change: { proof: { claims: { [name]: undefined } } } },
          { what: `${name} is null`, change: { proof: { claims: { [name]: null } } } },
        ]),
        {
          what: 'the payload is empty',
          change: { proof: { claims: { ath: undefined, ekm: undefined, iat: undefined } } },
        },
      ]);
    },
  },
  {
    id: 'RS-PL-3',
    title: 'refuses a proof that was made long ago',
    cause: NO_WINDOW,
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [
        issuedAt('iat was a day ago', clock() - DAY),
        issuedAt('iat was ten years ago', clock() - 10 * YEAR),
        {
          ...issuedAt('iat is 0', 0),
          cause:
            'An iat of 0 counts as one that is absent, and an absent one is not refused. Demand a number, and compare it whatever it is.',
        },
        issuedAt('iat is negative', -clock()),
      ]);
    },
  },
  {
    id: 'RS-PL-4',
    title: 'refuses a proof that is dated well in the future',
    cause: NO_WINDOW,
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [
        issuedAt('iat is a day ahead', clock() + DAY),
        issuedAt('iat is ten years ahead', clock() + 10 * YEAR),
        {
          ...issuedAt('iat is in milliseconds', clock() * 1000),
          cause:
            'iat is accepted in milliseconds, or nothing limits how far ahead it may be. It is in seconds (RFC 7519 §2): refuse what lies more than a few minutes ahead.',
        },
      ]);
    },
  },
  {
    id: 'RS-PL-4.skew',
    title: 'tolerates a client clock that is a few seconds ahead',
    cause: {
      rejected:
        'Any iat after the server’s own time is refused. Clocks are never quite equal: allow for some seconds ahead.',
    },
    async run(stage) {
      await stage.control();
      await stage.accepts('iat is two seconds ahead', { proof: { claims: { iat: clock() + 2 } } });
    },
  },
  {
    id: 'RS-PL-5',
    title: 'refuses an iat that is not a JSON number of seconds',
    cause: NOT_A_NUMBER,
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [
        issuedAt('iat is a string of digits', String(clock())),
        issuedAt('iat is a date as text', new Date().toISOString()),
        issuedAt('iat is true', true),
        issuedAt('iat is an array with the right number', [clock()]),
        issuedAt('iat is an object', {}),
        issuedAtText('1e400'),
        { ...issuedAtText('-0'), cause: NO_WINDOW },
        { ...issuedAtText('18446744073709551616'), cause: NO_WINDOW },
        { what: 'iat is NaN', change: { proof: { payloadText: literalMember('iat', 'NaN') } } },
      ]);
    },
  },
  {
    id: 'RS-PL-5.fraction',
    title: 'takes an iat with a fraction of a second (RFC 7519 NumericDate)',
    cause: {
      rejected:
        'Only whole numbers are taken for iat, though a NumericDate may have a fraction (RFC 7519 §2).',
    },
    async run(stage) {
      await stage.control();
      await stage.accepts('iat is half a second ago', { proof: { claims: { iat: clock() - 0.5 } } });
    },
  },
  {
    id: 'RS-PL-6',
    title: 'refuses ath and ekm that are not strings in base64url',
    cause: LENIENT,
    async run(stage) {
      const wrong = [...WRONG_TYPES, ...WRONG_ENCODINGS];
      const variations = TEXT_CLAIMS.flatMap(({ name, made }) =>
        wrong.map(({ what, from }) => ({ what: `${name} is ${what}`, change: { proof: made(from) } })),
      );
      await stage.refuses(refused('invalid_proof'), [...variations, ...(await standardAlphabet(stage))]);
    },
  },
  {
    id: 'RS-PL-6.lenient',
    title: 'takes ath and ekm only without padding and in the canonical form',
    async run(stage) {
      await stage.refuses(
        refused('invalid_proof'),
        TEXT_CLAIMS.flatMap(({ name, made }) => [
          { what: `${name} is padded with =`, change: { proof: made((right) => `${right}=`) } },
          { what: `${name} has its unused last bits set`, change: { proof: made(uncanonical) } },
        ]),
      );
    },
  },
  {
    id: 'RS-PL-14',
    title: 'ignores claims that the draft does not define',
    cause: { rejected: 'A proof with claims that are not known is refused. Ignore them (RFC 7519 §4).' },
    async run(stage) {
      await stage.control();
      const unknown = { foo: 'bar', sub: 'somebody', nested: { a: [1, { b: null }] }, cnf: { jkt: 'x' } };
      for (const [name, value] of Object.entries(unknown)) {
        await stage.accepts(`a proof with a claim ${name}`, { proof: { claims: { [name]: value } } });
      }
    },
  },
  {
    id: 'RS-PL-15',
    title: 'refuses a proof that says itself that it is not valid now',
    cause: {
      served:
        'exp and nbf of the proof are not looked at. The draft gives them no meaning, yet a JWT must not be processed after exp or before nbf (RFC 7519 §4.1.4, §4.1.5).',
      rejected:
        'A proof with exp and nbf is refused although both hold. Ignore them, or compare them with the clock (RFC 7519 §4.1.4, §4.1.5).',
    },
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [
        { what: 'exp was a day ago', change: { proof: { claims: { exp: clock() - DAY } } } },
        { what: 'nbf is a day ahead', change: { proof: { claims: { nbf: clock() + DAY } } } },
      ]);
      await stage.accepts('exp is ahead and nbf has passed', {
        proof: { claims: { exp: clock() + 10 * MINUTE, nbf: clock() - 10 * MINUTE } },
      });
      for (const name of ['aud', 'iss']) {
        const { reading } = await stage.send(`a proof with ${name} of another server`, {
          proof: { claims: { [name]: 'https://other.example' } },
        });
        stage.note(
          `a proof whose ${name} names another server: ${reading.text}; either is conformant (AMB-49)`,
        );
      }
    },
  },
]);
