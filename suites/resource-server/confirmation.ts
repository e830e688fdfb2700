import { duplicateMember } from '../../harness/forge/json-text.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { RequestPlan, TokenPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';

/** draft -06 §2.4: the confirmation claim decides what a token demands of its presenter. */

const NOT_DEMANDED =
  'A token with cnf.tls_exp is served without a proof. Its presence makes the proof mandatory for each request, whatever was verified before.';
const FAILS_OPEN =
  'A tls_exp that is not the expected text is taken as none. Decide by whether the member is there: one that cannot be enforced makes the token unusable, never unbound.';
const TWO_MEMBERS =
  'A token with tls_exp is served without x5t#S256 in its cnf. Both are required: without the thumbprint nothing ties the token to the client certificate.';
const WRONG_PLACE =
  'tls_exp or x5t#S256 is read from elsewhere than the cnf claim. Only the members of cnf, in the payload of the validated token, confirm anything.';

const REGISTERED = 'EXPORTER-oauth-tls-session-bound';
const TLS_EXP = 'token.claims.cnf.tls_exp';
const THUMBPRINT = 'token.claims.cnf.x5t#S256';

/** Values of `tls_exp` that are no label. */
const UNUSABLE: readonly unknown[] = [true, 1, null, '', [], {}, [REGISTERED]];
const OTHER_LABELS = [
  'EXPORTER-tsbt-other',
  'EXPORTER-oauth-tls-bound-token-exchange',
  'oauth-tls-session-bound',
  'master secret',
];

const CERTIFICATE_BOUND: TokenPlan = { sessionBound: false };
const UNBOUND: TokenPlan = { boundTo: null, sessionBound: false };

/**
 * What tokens of these kinds are held against when they come without proof: a token that is bound to the certificate
 * only, where the target serves such; then `tls_exp` alone makes the difference. Else the right request.
 */
async function unproven(
  stage: Stage,
): Promise<{ readonly base: RequestPlan; readonly differs: readonly string[] }> {
  const base: RequestPlan = { token: CERTIFICATE_BOUND, proof: null };
  const plain = await stage.send('a certificate-bound token (RFC 8705) without proof', base);
  return plain.served ? { base, differs: [TLS_EXP] } : { base: {}, differs: [TLS_EXP, 'proof'] };
}

/** A token with another `cnf`, without proof. */
function withoutProof(what: string, token: TokenPlan, differs: readonly string[]): Variation {
  return { what: `${what}, no proof`, change: { token, proof: null }, differs: [...differs, 'proof'] };
}

/** The members of a right `cnf`, for tokens that have more or other ones. */
function members(stage: Stage): Readonly<Record<string, unknown>> {
  return { 'x5t#S256': stage.alice.thumbprint, tls_exp: REGISTERED };
}

function withTlsExp(stage: Stage, value: unknown): TokenPlan {
  return { claims: { cnf: { ...members(stage), tls_exp: value } } };
}

const NOT_AN_OBJECT: readonly Variation[] = [
  ...['none', true, 1, null, [], [{ tls_exp: REGISTERED }]].map((cnf) =>
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
    { boundTo: null, sessionBound: false, claims: { tls_exp: REGISTERED } },
    ['token.claims.tls_exp', THUMBPRINT, TLS_EXP],
  ),
  withoutProof(
    'cnf within another claim only',
    { boundTo: null, sessionBound: false, claims: { act: { cnf: { tls_exp: REGISTERED } } } },
    ['token.claims.act', THUMBPRINT, TLS_EXP],
  ),
];

export const confirmation = suite('resource-server', 'confirmation', [
  {
    id: 'RS-CNF-1',
    title: 'demands a proof with the first presentation of a token that has cnf.tls_exp',
    across: { http: AXES.http },
    cause: NOT_DEMANDED,
    async run(stage) {
      await stage.refuses(refused('use_session_binding'), [{ what: 'no proof', change: { proof: null } }]);
    },
  },
  {
    id: 'RS-CNF-1.later',
    title: 'demands a proof with every later presentation of a token that has cnf.tls_exp',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: NOT_DEMANDED,
    async run(stage) {
      const on = await stage.connect();
      const base = { token: await stage.mint() };
      for (const time of ['second', 'third', 'fourth']) {
        const control = await stage.control('the right request', base, { on });
        await stage.refusesOne(
          refused('use_session_binding'),
          { what: `no proof, on the ${time} presentation`, change: { proof: null } },
          control,
          base,
          { on },
        );
      }
      await stage.control('the right request again', base, { on });
    },
  },
  {
    id: 'RS-CNF-2',
    title: 'refuses a token without proof whose tls_exp is there but no label',
    cause: FAILS_OPEN,
    async run(stage) {
      const { base, differs } = await unproven(stage);
      await stage.refuses(
        refused('401'),
        UNUSABLE.map((value) => ({
          what: `tls_exp is ${JSON.stringify(value)}, no proof`,
          change: { token: withTlsExp(stage, value), proof: null },
          differs,
        })),
        base,
      );
    },
  },
  {
    id: 'RS-CNF-2.with-proof',
    title: 'refuses a token whose tls_exp is no label even with a proof',
    cause:
      'A malformed tls_exp is taken for the registered label. The draft does not say; refusing the token is the safer reading.',
    async run(stage) {
      await stage.refuses(
        refused('401'),
        UNUSABLE.map((value) => ({
          what: `tls_exp is ${JSON.stringify(value)}`,
          change: { token: withTlsExp(stage, value) },
          differs: [TLS_EXP],
        })),
      );
    },
  },
  {
    id: 'RS-CNF-3',
    title: 'refuses a token that has tls_exp without a usable x5t#S256',
    cause: TWO_MEMBERS,
    async run(stage) {
      const confirmed = (
        what: string,
        cnf: Readonly<Record<string, unknown>>,
        ...more: readonly string[]
      ): Variation => ({
        what,
        change: { token: { claims: { cnf: { tls_exp: REGISTERED, ...cnf } } } },
        differs: [THUMBPRINT, ...more],
      });
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
    id: 'RS-CNF-4',
    title: 'refuses a token without proof whose tls_exp is another label than the registered one',
    cause: FAILS_OPEN,
    async run(stage) {
      const { base, differs } = await unproven(stage);
      await stage.refuses(
        refused('401'),
        OTHER_LABELS.map((label) => ({
          what: `tls_exp is "${label}", no proof`,
          change: { token: { sessionBound: label }, proof: null },
          differs,
        })),
        base,
      );
    },
  },
  {
    id: 'RS-CNF-4.registered-label',
    title: 'refuses a proof over the registered label where the token names another',
    cause:
      'The label that the token names is not looked at: a proof over the registered label passes for a token that asks for another. Refuse labels that are not known.',
    async run(stage) {
      await stage.refuses(
        refused('401'),
        OTHER_LABELS.map((label) => ({
          what: `tls_exp is "${label}", the proof is over the registered label`,
          change: { token: { sessionBound: label } },
        })),
      );
    },
  },
  {
    id: 'RS-CNF-4.own-label',
    title: 'refuses a proof over the label that the token names where that is not the registered one',
    cause:
      'The exporter label is taken from the token. Section 2.4 can be read so; section 2.2 fixes the label.',
    async run(stage) {
      await stage.refuses(
        refused('401'),
        OTHER_LABELS.filter((label) => label.startsWith('EXPORTER')).map(ownLabel),
      );
    },
  },
  {
    id: 'RS-CNF-4.foreign-label',
    title: 'refuses a proof over a label of the token’s that is no exporter label at all',
    cause:
      'Any text in tls_exp is handed to the exporter as its label. Labels must begin with EXPORTER (RFC 5705 §4); others may coincide with labels that TLS itself uses.',
    async run(stage) {
      await stage.refuses(
        refused('401'),
        OTHER_LABELS.filter((label) => !label.startsWith('EXPORTER')).map(ownLabel),
      );
    },
  },
  {
    id: 'RS-CNF-5',
    title: 'treats tokens without cnf.tls_exp by one rule, whether a proof comes with them or not',
    async run(stage) {
      if (stage.setting.target.capabilities.has('binding-required'))
        stage.notApplicable('the target claims binding-required: RS-CNF-5.required judges that');
      for (const { kind, token } of [
        { kind: 'a token without cnf', token: UNBOUND },
        { kind: 'a certificate-bound token', token: CERTIFICATE_BOUND },
      ]) {
        const bare = await stage.send(`${kind}, no proof`, { token, proof: null });
        const proven = await stage.send(`${kind} with a right proof`, { token });
        const wrong = await stage.send(`${kind} with a proof that is none`, { token, proof: 'not-a-proof' });
        if (bare.served !== proven.served)
          stage.observe(
            `${kind} is ${bare.served ? 'served' : 'refused'} without proof and ${proven.served ? 'served' : 'refused'} with one (AMB-18)`,
          );
        else if (!bare.served)
          stage.note(
            `${kind} is refused: say binding-required in the manifest if no token without cnf.tls_exp is to be served (AMB-18)`,
          );
        else
          stage.note(
            `${kind} is served, and ${wrong.served ? 'served' : 'refused'} with a proof that is none (AMB-18)`,
          );
      }
    },
  },
  {
    id: 'RS-CNF-5.required',
    title:
      'refuses every token without cnf.tls_exp where it says that binding is required, even with a proof',
    capabilities: ['binding-required'],
    cause:
      'A token without cnf.tls_exp is served although binding is required here. Refuse it before looking at a proof.',
    async run(stage) {
      await stage.refuses(refused('401'), [
        { what: 'a token without cnf', change: { token: UNBOUND } },
        { what: 'a certificate-bound token', change: { token: CERTIFICATE_BOUND } },
        withoutProof('a token without cnf', UNBOUND, [THUMBPRINT, TLS_EXP]),
        withoutProof('a certificate-bound token', CERTIFICATE_BOUND, [TLS_EXP]),
      ]);
    },
  },
  {
    id: 'RS-CNF-6',
    title: 'takes tls_exp and x5t#S256 from the cnf claim of the validated token and from nowhere else',
    cause: WRONG_PLACE,
    async run(stage) {
      const decoy = (name: string, value: unknown): Variation =>
        withoutProof(
          `besides cnf, the claim ${name} is ${JSON.stringify(value)}`,
          { claims: { [name]: value } },
          [`token.claims.${name}`],
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
          { claims: { cnf: { ...members(stage), cnf: {} } } },
          ['token.claims.cnf.cnf'],
        ),
        {
          what: 'cnf is bound to mallory’s certificate, the claim x5t#S256 names alice’s',
          change: { token: { boundTo: stage.mallory, claims: { 'x5t#S256': stage.alice.thumbprint } } },
        },
        ...(servesUnbound ? [] : [...NOT_AN_OBJECT, ...MISPLACED]),
      ]);
    },
  },
  {
    id: 'RS-CNF-6.wrong-type',
    title: 'refuses a token whose cnf is not an object, with 401 and not with an error of its own',
    cause:
      'A cnf claim that cannot be read is taken as none. It must be a JSON object (RFC 7800 §3.1): refuse a token with any other.',
    async run(stage) {
      await stage.refuses(refused('401'), NOT_AN_OBJECT);
    },
  },
  {
    id: 'RS-CNF-7',
    title: 'serves a token whose cnf has members that it does not know',
    cause:
      'A cnf with an unknown member is refused. Members that are not understood are to be ignored (RFC 7800 §3.1).',
    async run(stage) {
      await stage.control();
      for (const unknown of ['text', 1, null, ['list'], { jwk: {} }]) {
        await stage.accepts(`cnf has a member tsbt-unknown: ${JSON.stringify(unknown)}`, {
          token: { claims: { cnf: { 'tsbt-unknown': unknown, ...members(stage) } } },
        });
      }
    },
  },
  {
    id: 'RS-CNF-7.other-methods',
    title: 'serves a token whose cnf names further keys by kid or jku',
    cause:
      'A cnf with a confirmation member of RFC 7800 beside x5t#S256 and tls_exp is refused. Where such a member is not understood it is to be ignored.',
    async run(stage) {
      await stage.control();
      for (const [name, value] of Object.entries({ kid: 'tsbt', jku: 'https://as.tsbt.test/keys' })) {
        await stage.accepts(`cnf has a member ${name}`, {
          token: { claims: { cnf: { ...members(stage), [name]: value } } },
        });
      }
    },
  },
]);

/** A token with this label and a proof over it. */
function ownLabel(label: string): Variation {
  return {
    what: `tls_exp is "${label}", and so is the label of the proof`,
    change: {
      token: { sessionBound: label },
      proof: { ekm: (connection) => connection.exporter({ label }).toString('base64url') },
    },
  };
}
