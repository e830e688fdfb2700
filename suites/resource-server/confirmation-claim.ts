import { duplicateMember } from '../../harness/forge/json-text.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import type { Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import {
  demandsProof,
  REGISTERED_LABEL,
  rightMembers,
  THUMBPRINT,
  TLS_EXP,
  UNBOUND,
  withoutProof,
} from './confirmed-tokens.ts';

/** draft -06 §2.4, RFC 7800 §3.1: the cnf claim as a whole. */

const TWO_MEMBERS =
  'A token with tls_exp is served without x5t#S256 in its cnf. Both are required: without the thumbprint nothing ties the token to the client certificate.';
const UNUSABLE_THUMBPRINT =
  'An x5t#S256 that is no thumbprint counts as none, or is converted before it is compared. Demand a string and compare it as it is.';
const NOT_READ =
  'A cnf claim that cannot be read is taken as none. It must be a JSON object (RFC 7800 §3.1): refuse a token with any other.';
const WRONG_PLACE =
  'tls_exp or x5t#S256 is read from elsewhere than the cnf claim. Only the members of cnf, in the payload of the validated token, confirm anything.';

const NOT_AN_OBJECT: readonly Variation[] = [
  ...['none', true, 1, null, [], [{ tls_exp: REGISTERED_LABEL }]].map((cnf) =>
    withoutProof(`cnf is ${JSON.stringify(cnf)}`, { claims: { cnf } }, [
      'token.claims.cnf',
      THUMBPRINT,
      TLS_EXP,
    ]),
  ),
  withoutProof(
    'cnf twice, the second one empty',
    { payloadText: duplicateMember('cnf', {}, 'right-then-wrong') },
    [THUMBPRINT, TLS_EXP],
  ),
];

const MISPLACED: readonly Variation[] = [
  withoutProof(
    'tls_exp at the top level only',
    { boundTo: null, sessionBound: false, claims: { tls_exp: REGISTERED_LABEL } },
    ['token.claims.tls_exp', THUMBPRINT, TLS_EXP],
  ),
  withoutProof(
    'cnf within another claim only',
    { boundTo: null, sessionBound: false, claims: { act: { cnf: { tls_exp: REGISTERED_LABEL } } } },
    ['token.claims.act', THUMBPRINT, TLS_EXP],
  ),
];

/** A token with just these members in `cnf` besides `tls_exp`, and a right proof. */
function confirmed(
  what: string,
  cnf: Readonly<Record<string, unknown>>,
  ...more: readonly string[]
): Variation {
  return {
    what,
    cause: 'x5t#S256' in cnf ? UNUSABLE_THUMBPRINT : TWO_MEMBERS,
    change: { token: { claims: { cnf: { tls_exp: REGISTERED_LABEL, ...cnf } } } },
    differs: [THUMBPRINT, ...more],
  };
}

/** A right token with one more claim that might be taken for its confirmation. */
function decoy(name: string, value: unknown): Variation {
  return withoutProof(
    `besides cnf, the claim ${name} is ${JSON.stringify(value)}`,
    { claims: { [name]: value } },
    [`token.claims.${name}`],
  );
}

export const confirmationClaim = suite('resource-server', 'confirmation-claim', [
  {
    id: 'RS-CNF-3',
    title: 'refuses a token that has tls_exp without a usable x5t#S256',
    cause: TWO_MEMBERS,
    async run(stage) {
      await stage.refuses(refused('401'), [
        confirmed('cnf has tls_exp only', {}),
        confirmed('cnf has tls_exp and jkt', { jkt: stage.alice.thumbprint }, 'token.claims.cnf.jkt'),
        confirmed(
          'cnf has tls_exp and x5t, the SHA-1 form',
          { x5t: stage.alice.thumbprint },
          'token.claims.cnf.x5t',
        ),
        confirmed('x5t#S256 is null', { 'x5t#S256': null }),
        confirmed('x5t#S256 is empty', { 'x5t#S256': '' }),
        confirmed('x5t#S256 is a number', { 'x5t#S256': 0 }),
        confirmed('x5t#S256 is a list with the thumbprint', { 'x5t#S256': [stage.alice.thumbprint] }),
      ]);
    },
  },
  {
    id: 'RS-CNF-6',
    title: 'takes tls_exp and x5t#S256 from the cnf claim of the validated token and from nowhere else',
    cause: WRONG_PLACE,
    async run(stage) {
      await demandsProof(stage);
      // So that she is no stranger to a server that keeps the certificates that it has seen.
      await stage.send(
        'mallory, with a token of her own',
        { token: { boundTo: stage.mallory } },
        { connect: { identity: stage.mallory } },
      );
      const servesUnbound = (
        await stage.send('a token without cnf, no proof', { token: UNBOUND, proof: null })
      ).served;
      await stage.refuses(refused('401'), [
        decoy('tls_exp', false),
        decoy('tls_exp', null),
        decoy('tls_exp', ''),
        decoy('act', { cnf: {} }),
        decoy('confirmation', {}),
        withoutProof('besides the claim, a header parameter cnf that is empty', { header: { cnf: {} } }, [
          'token.header.cnf',
        ]),
        withoutProof(
          'within cnf, a member cnf that is empty',
          { claims: { cnf: { ...rightMembers(stage), cnf: {} } } },
          ['token.claims.cnf.cnf'],
        ),
        {
          what: 'cnf is bound to mallory’s certificate, the claim x5t#S256 names alice’s',
          change: { token: { boundTo: stage.mallory, claims: { 'x5t#S256': stage.alice.thumbprint } } },
        },
        ...(servesUnbound
          ? []
          : [...NOT_AN_OBJECT.map((variation) => ({ ...variation, cause: NOT_READ })), ...MISPLACED]),
      ]);
    },
  },
  {
    id: 'RS-CNF-6.wrong-type',
    title: 'refuses a token whose cnf is not an object, with 401 and not with an error of its own',
    cause: NOT_READ,
    async run(stage) {
      await stage.refuses(refused('401'), NOT_AN_OBJECT);
    },
  },
  {
    id: 'RS-CNF-7',
    title: 'serves a token whose cnf has members that it does not know',
    cause: {
      rejected:
        'A cnf with an unknown member is refused. Members that are not understood are to be ignored (RFC 7800 §3.1).',
    },
    async run(stage) {
      await stage.control();
      for (const unknown of ['text', 1, null, ['list'], { jwk: {} }]) {
        await stage.accepts(`cnf has a member tsbt-unknown: ${JSON.stringify(unknown)}`, {
          token: { claims: { cnf: { 'tsbt-unknown': unknown, ...rightMembers(stage) } } },
        });
      }
    },
  },
  {
    id: 'RS-CNF-7.other-methods',
    title: 'serves a token whose cnf names further keys by kid or jku',
    cause: {
      rejected:
        'A cnf with a confirmation member of RFC 7800 beside x5t#S256 and tls_exp is refused. Where such a member is not understood it is to be ignored.',
    },
    async run(stage) {
      await stage.control();
      for (const [name, value] of Object.entries({ kid: 'tsbt', jku: 'https://as.tsbt.test/keys' })) {
        await stage.accepts(`cnf has a member ${name}`, {
          token: { claims: { cnf: { ...rightMembers(stage), [name]: value } } },
        });
      }
    },
  },
]);
