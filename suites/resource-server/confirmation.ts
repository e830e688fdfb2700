import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { RequestPlan, TokenPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import {
  CERTIFICATE_BOUND,
  REGISTERED_LABEL,
  rightMembers,
  THUMBPRINT,
  TLS_EXP,
  UNBOUND,
  withoutProof,
} from './confirmed-tokens.ts';

/** draft -06 §2.4: `tls_exp` decides what a token demands of its presenter. */

const NOT_DEMANDED =
  'A token with cnf.tls_exp is served without a proof. Its presence makes the proof mandatory for each request, whatever was verified before.';
const FAILS_OPEN =
  'A tls_exp that is not the expected text is taken as none. Decide by whether the member is there: one that cannot be enforced makes the token unusable, never unbound.';

/** Values of `tls_exp` that are no label. */
const UNUSABLE: readonly unknown[] = [true, 1, null, '', [], {}, [REGISTERED_LABEL]];
const OTHER_LABELS = [
  'EXPORTER-tsbt-other',
  'EXPORTER-oauth-tls-bound-token-exchange',
  'oauth-tls-session-bound',
  'master secret',
];

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

function withTlsExp(stage: Stage, value: unknown): TokenPlan {
  return { claims: { cnf: { ...rightMembers(stage), tls_exp: value } } };
}

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
    // TLS 1.2 stacks refuse to export under the labels of the handshake itself.
    across: { tls: ['TLSv1.3'] },
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
