import type { Token } from '../../harness/forge/token.ts';
import { refused, refusedExactly } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { RequestPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';

/** draft -06 §2.4, §3.3.2 steps 4 and 5d, §3.5: the field that carries the proof. */

const NOT_ENFORCED =
  'A token with cnf.tls_exp is served without a proof. Its presence alone makes the proof mandatory: answer 401 with use_session_binding where the field is missing.';
const ONE_OF_SEVERAL =
  'Of several values of the field only one is looked at. Refuse a request that has more than one.';
const ANOTHER_PLACE =
  'The proof is accepted from another place than the field Session-Binding-Proof. Read it from there only (draft -06 §3.3.1).';
const LOOK_ALIKE =
  'Something that merely looks like the Session-Binding-Proof field is taken for it. Read the header section only, and names exactly but for letter case.';

const FIELD = 'Session-Binding-Proof';

/** What a proof is made for: a connection that can take a request, and a fresh token. */
interface Occasion {
  readonly on: Connection;
  readonly token: Token;
  /** A right proof for just these. */
  readonly proof: string;
}

/** A proof as text, for requests that carry it in places of their own. */
async function occasion(stage: Stage, before?: Connection): Promise<Occasion> {
  const on = before?.open === true ? before : await stage.connect();
  const token = await stage.mint();
  return { on, token, proof: stage.proof(on, token) };
}

/** The proof in fields of these names instead. */
function under(...names: readonly string[]): Variation {
  return {
    what: `the proof is in ${names.join(', ')}`,
    change: { carriage: (proof) => names.map((name) => [name, proof] as const) },
    differs: ['proof', ...names.map((name) => `request.field.${name.toLowerCase()}`)],
  };
}

const FORM = ['Content-Type', 'application/x-www-form-urlencoded'] as const;

/** Places outside the header section, where only applications would look. */
async function outside(stage: Stage): Promise<readonly Variation[]> {
  const { on, token, proof } = await occasion(stage);
  const path = `${stage.setting.target.protectedPath}?session_binding_proof=${proof}&${FIELD}=${proof}`;
  const body = `session_binding_proof=${proof}&${FIELD}=${proof}`;
  return [
    {
      what: 'the proof is in the query',
      on,
      change: { token, path, proof: null },
      differs: ['proof', 'request.target'],
    },
    {
      what: 'the proof is in a form',
      change: { method: 'POST', body, fields: [FORM], proof: null },
      differs: ['proof', 'request.method', 'request.body', 'request.field.content-type'],
    },
  ];
}

/** Several values, of which one at least is invalid. */
async function mixtures(stage: Stage): Promise<readonly Variation[]> {
  const elsewhere = await stage.connect();
  const made: Variation[] = [];
  const mixture = async (
    what: string,
    values: (right: string, wrong: string) => readonly string[],
  ): Promise<void> => {
    // A connection for each: a target may end one with each refusal.
    const { on, token, proof } = await occasion(stage);
    const wrong = stage.proof(on, token, { forConnection: elsewhere });
    made.push({ what, on, change: { token, proof: values(proof, wrong) } });
  };
  await mixture('a right proof, then one for another connection', (right, wrong) => [right, wrong]);
  await mixture('a proof for another connection, then a right one', (right, wrong) => [wrong, right]);
  await mixture('a right proof, then one for another connection, in one line', (right, wrong) => [
    `${right}, ${wrong}`,
  ]);
  await mixture('a proof for another connection, then a right one, in one line', (right, wrong) => [
    `${wrong}, ${right}`,
  ]);
  await mixture('a right proof, then something else', (right) => [right, 'x']);
  await mixture('something else, then a right proof', (right) => ['x', right]);
  return made;
}

export const proofField = suite('resource-server', 'proof-field', [
  {
    id: 'RS-FLD-1',
    title: 'asks with use_session_binding for the proof of a session-bound token that came without one',
    across: { http: AXES.http },
    cause: NOT_ENFORCED,
    async run(stage) {
      await stage.refuses(refused('use_session_binding'), [
        {
          what: 'the field is missing',
          change: { proof: null },
          expect: refusedExactly('use_session_binding'),
          cause: {
            'other-manner':
              'A request without the field is refused under another name than use_session_binding, so that the client does not learn that a proof is demanded (see RS-ERR-3).',
            'server-error':
              'That the field is missing is an error that nothing catches. Answer 401 with use_session_binding.',
            ended: 'The connection is ended where the field is missing. Answer 401 with use_session_binding.',
          },
        },
        ...['Token-Binding-Proof', 'X-Session-Binding-Proof', 'DPoP', 'Sec-Token-Binding'].map((name) => ({
          ...under(name),
          cause: ANOTHER_PLACE,
        })),
        {
          what: 'the proof is in a cookie',
          change: { carriage: (proof) => [['Cookie', `${FIELD}=${proof}`]] },
          differs: ['proof', 'request.field.cookie'],
          cause: ANOTHER_PLACE,
        },
        ...(await outside(stage)).map((variation) => ({ ...variation, cause: ANOTHER_PLACE })),
      ]);
    },
  },
  {
    id: 'RS-FLD-2',
    title: 'knows the field by its name in any letter case',
    across: { http: AXES.http },
    cause: {
      rejected:
        'The field’s name is compared with regard to case. Field names have none (RFC 9110 §5.1), and HTTP/2 sends them in lower case.',
    },
    async run(stage) {
      const lower = FIELD.toLowerCase();
      const names =
        stage.permutation.http === 'h2' ? [lower] : [lower, FIELD.toUpperCase(), 'sEssIoN-biNdinG-pRoof'];
      for (const name of names) {
        await stage.accepts(`the proof in ${name}`, { carriage: (proof) => [[name, proof]] });
      }
    },
  },
  {
    id: 'RS-FLD-3',
    title: 'refuses a request with several proofs of which one is invalid',
    across: { http: AXES.http },
    cause: ONE_OF_SEVERAL,
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), await mixtures(stage));
    },
  },
  {
    id: 'RS-FLD-3.all-valid',
    title: 'refuses a request with several proofs even where all of them are valid',
    async run(stage) {
      const once = await occasion(stage);
      const twice = await occasion(stage, once.on);
      await stage.control();
      const two = [
        once.proof,
        stage.proof(once.on, once.token, { claims: { iat: Math.floor(Date.now() / 1000) - 1 } }),
      ];
      const different = await stage.send(
        'two different right proofs',
        { token: once.token, proof: two },
        { on: once.on },
      );
      if (different.served) stage.observe('two different proofs that are both right are accepted (AMB-25)');
      const on = twice.on.open ? twice : await occasion(stage);
      const repeated = await stage.send(
        'a right proof twice',
        { token: on.token, proof: [on.proof, on.proof] },
        { on: on.on },
      );
      if (repeated.served) stage.observe('the same right proof twice is accepted (AMB-25)');
    },
  },
  {
    id: 'RS-FLD-4',
    title: 'ignores white space around the field’s value, and only there',
    cause:
      'White space inside the field’s value is dropped before the proof is read. Only what stands before and after the value is optional (RFC 9110 §5.5).',
    across: { http: ['http/1.1'] },
    async run(stage) {
      const around = ['    ', '\t', ' \t '];
      for (const space of around) {
        await stage.accepts(
          `${JSON.stringify(space)} before and after the proof`,
          { carriage: (proof) => [[FIELD, `${space}${proof}${space}`]] },
          {},
          'White space around the value is taken for a part of it. Trim spaces and tabs (RFC 9110 §5.5).',
        );
      }
      const broken = (what: string, by: string): Variation => ({
        what,
        change: { proof: { compact: (right) => `${right.slice(0, 40)}${by}${right.slice(40)}` } },
      });
      await stage.refuses(refused('invalid_proof'), [
        broken('a space inside the proof', ' '),
        broken('a tab inside the proof', '\t'),
        {
          what: 'a space after the first dot',
          change: { proof: { compact: (right) => right.replace('.', '. ') } },
        },
        broken('the proof is folded onto a second line (RFC 9112 §5.2)', '\r\n '),
      ]);
    },
  },
  {
    id: 'RS-FLD-5',
    title: 'refuses a request whose proof is empty',
    across: { http: AXES.http },
    cause: 'A field without value counts as a proof that was verified. It is as good as none.',
    async run(stage) {
      await stage.refuses(refused('use_session_binding', 'invalid_proof'), empty(stage));
    },
  },
  {
    id: 'RS-FLD-5.manner',
    title: 'reports an empty proof as missing or as invalid',
    async run(stage) {
      await stage.refuses(refusedExactly('use_session_binding', 'invalid_proof'), empty(stage));
    },
  },
  {
    id: 'RS-FLD-9',
    title: 'does not take a trailer or a misspelt name for the field',
    across: { http: AXES.http },
    cause: LOOK_ALIKE,
    async run(stage) {
      const base: RequestPlan = { method: 'POST', body: 'x' };
      const { on, token, proof } = await occasion(stage);
      const trailers = [[FIELD, proof]] as const;
      const announced: RequestPlan = { fields: [['Trailer', FIELD]] };
      const later = await occasion(stage);
      await stage.refuses(
        refused('use_session_binding'),
        [
          { what: 'the proof is in the trailer section', on, change: { token, proof: null, trailers } },
          {
            what: 'the proof is in the trailer section, and announced',
            on: later.on,
            change: { ...announced, token: later.token, proof: null, trailers: [[FIELD, later.proof]] },
          },
          under('Session-Binding-Proofs'),
          under('Session-BindingProof'),
          ...(stage.permutation.http === 'h2' ? [] : [under(`${FIELD} `), under(`${FIELD}\t`)]),
        ],
        base,
      );
    },
  },
  {
    id: 'RS-FLD-9.underscore',
    title: 'does not take Session_Binding_Proof for the field',
    across: { http: AXES.http },
    cause:
      'Underscores in field names are taken for hyphens, as in CGI variables. Where two spellings reach one variable, a proxy in front cannot remove a forged field.',
    async run(stage) {
      await stage.refuses(refused('use_session_binding'), [
        under('Session_Binding_Proof'),
        under('HTTP_SESSION_BINDING_PROOF'),
      ]);
    },
  },
]);

function empty(stage: Stage): readonly Variation[] {
  return [
    { what: 'the field is empty', change: { proof: '' } },
    // HTTP/2 forbids white space around values (RFC 9113 §8.2.1).
    ...(stage.permutation.http === 'h2'
      ? []
      : [{ what: 'the field has white space only', change: { proof: ' \t ' } }]),
    { what: 'the field is a lone comma', change: { proof: ',' } },
  ];
}
