import type { Field } from '../../harness/wire/connection.ts';
import { forgeJwt } from '../../harness/forge/jwt.ts';
import { privateKeyOf } from '../../harness/forge/keys.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { AgentPlan } from '../../harness/scenario/client/client-play.ts';
import { outcomeText } from '../../harness/scenario/client/client-play.ts';
import { provenOf } from '../../harness/scenario/client/client-stage.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { beside, twice } from './controls.ts';
import { isProven } from './upstream.ts';

/** draft -06 Appendix B.2, B.4: what a sidecar does with the requests of its agent. */

const LEFT_OUT =
  'Some requests go past the place where the proof is added. Add it to every request with a bearer token, whatever its method, body and place on the agent’s connection, and pass the rest on as it came.';
const CHANGED =
  'The agent’s request is changed on its way. Only the proof is added, and fields of its name are removed; method and body stay as they are.';
const TAKEN_OVER =
  'A field of the agent’s reaches the server. Remove every field of these names before adding your own: however many there are, in whatever case, and with _ for -, which many servers take for the same name (draft -06 Appendix B.4).';
const NOT_REPLACED =
  'The proof does not survive what the agent sent. Remove the agent’s fields, and those that its Connection field names, before the proof is added and not after it.';
const OTHER_CREDENTIALS =
  'Whatever stands in Authorization is taken for a session-bound token. Only credentials of the scheme Bearer are.';

/** What a server behind would look for. */
const RIGHT = ['form', 'signature', 'ath', 'ekm'] as const;

const BODY = Buffer.from('{"amount":1}\n');
const LARGE = Buffer.alloc(100_000, 'tsbt');
const JSON_TYPE: Field = ['Content-Type', 'application/json'];

/** A body of which the agent does not know the length when it begins. */
const IN_CHUNKS: NonNullable<AgentPlan['body']> = { first: BODY, rest: Promise.resolve(LARGE) };

const SHAPES: readonly (readonly [what: string, plan: AgentPlan, sent?: Buffer])[] = [
  ['a second GET', {}],
  ['a HEAD', { method: 'HEAD' }],
  ['an OPTIONS', { method: 'OPTIONS' }],
  ['a DELETE', { method: 'DELETE' }],
  ['a POST', { method: 'POST', fields: [JSON_TYPE], body: BODY }, BODY],
  ['a POST without a body', { method: 'POST', body: Buffer.alloc(0) }, Buffer.alloc(0)],
  ['a PUT of 100 kB', { method: 'PUT', body: LARGE }, LARGE],
  ['a POST in chunks', { method: 'POST', body: IN_CHUNKS }, Buffer.concat([BODY, LARGE])],
  ['a GET with path and query', { path: '/resource/a%2Fb;c?q=1&q=2&empty=' }],
  [
    'a GET with the scheme in lower case',
    { authorization: (token) => [['authorization', `bearer ${token}`]] },
  ],
];

/** Stands in every forged value, so that it is found wherever it goes. */
const FORGED = 'Zm9yZ2VkLWJ5LXRoZS1hZ2VudA';
const PROOF = 'Session-Binding-Proof';

const FORGERIES: readonly (readonly [what: string, fields: readonly Field[]])[] = [
  ['a proof of its own', [[PROOF, FORGED]]],
  [
    'two proofs of its own',
    [
      [PROOF, `${FORGED}.1`],
      [PROOF, `${FORGED}.2`],
    ],
  ],
  ['a proof of its own in lower case', [['session-binding-proof', FORGED]]],
  ['a proof of its own in upper case', [['SESSION-BINDING-PROOF', FORGED]]],
  [
    'proofs of its own in two spellings',
    [
      [PROOF, FORGED],
      ['session-binding-PROOF', FORGED],
    ],
  ],
  ['a proof of its own with underscores', [['Session_Binding_Proof', FORGED]]],
  ['a list of proofs of its own', [[PROOF, `${FORGED}, ${FORGED}`]]],
  ['an empty proof', [[PROOF, '']]],
  [
    'its proof named in Connection',
    [
      [PROOF, FORGED],
      ['Connection', `keep-alive, ${PROOF}`],
    ],
  ],
  ['the name of the proof in Connection', [['Connection', `keep-alive, ${PROOF}`]]],
  ['an exporter value', [['TLS-Exporter', FORGED]]],
  ['an exporter value with an underscore', [['tls_exporter', FORGED]]],
  ['a certificate', [['Client-Cert', `:${FORGED}:`]]],
  [
    'a chain of certificates',
    [
      ['Client-Cert', `:${FORGED}:`],
      ['Client-Cert-Chain', `:${FORGED}:`],
    ],
  ],
];

/** Whether the client answers 413 itself to long content (RFC 9110 §15.5.14): it may have a limit. */
async function limitsContent(stage: ClientStage): Promise<boolean> {
  const what = `a PUT of ${LARGE.length} octets`;
  const { outcome, arrivals } = await stage.journey(what, { method: 'PUT', body: LARGE });
  const limited = arrivals.length === 0 && outcome.type === 'response' && outcome.status === 413;
  if (limited) stage.note(`${what} is answered 413: the client has a limit, and no longer content is tried`);
  return limited;
}

export const sidecar = clientSuite('client-sidecar', [
  {
    id: 'CL-SC-1',
    title: 'adds a right proof to every request with a session-bound token, and leaves the request as it is',
    across: { http: AXES.http },
    cause: { 'no-proof': LEFT_OUT },
    async run(stage) {
      const { arrival: control } = await stage.control(RIGHT, 'a GET');
      const limited = await limitsContent(stage);
      for (const [what, plan, sent] of SHAPES) {
        if (limited && (sent?.length ?? 0) >= LARGE.length) continue;
        const proven = await stage.proves(RIGHT, what, plan);
        if (proven === undefined) continue;
        const { request } = proven.arrival;
        const { method = 'GET', path = '/resource' } = plan;
        beside(stage, what, control, proven.arrival, RIGHT);
        stage.holds(request.method === method, `${what} arrived as ${request.method}`, CHANGED);
        if (sent !== undefined)
          stage.holds(
            request.body.equals(sent),
            `${what} of ${sent.length} octets arrived with ${request.body.length}, or with others`,
            CHANGED,
          );
        if (request.target !== path)
          stage.observe(`${what}: the request target ${path} arrived as ${request.target}`);
      }
    },
  },
  {
    id: 'CL-SC-2',
    title: 'removes or replaces what the agent says of proof, exporter value and certificate itself',
    across: { http: AXES.http },
    capabilities: ['sidecar'],
    cause: TAKEN_OVER,
    async run(stage) {
      const { arrival: control, proof } = await twice(stage, RIGHT, 'a request without such fields');
      const expected = 'exactly one proof, the sidecar’s, or no request at all';
      const forgeries = [
        ...FORGERIES,
        ['the proof of an earlier request', [[PROOF, proof]]] as const,
        [
          'a proof that it has signed itself',
          [
            [
              PROOF,
              forgeJwt({
                header: {},
                claims: { ekm: FORGED },
                algorithm: 'ES256',
                key: privateKeyOf(stage.setting.pki.mallory.privateKey),
              }),
            ],
          ],
        ] as const,
      ];
      for (const [name, fields] of forgeries) {
        const what = `an agent that sends ${name}`;
        const { arrivals, outcome, ...rest } = await stage.journey(what, { fields }, 'variant', expected);
        for (const arrival of arrivals) {
          const passed = arrival.request.fields.filter(([, value]) => value.includes(FORGED));
          for (const [field] of passed) stage.holds(false, `${what}: its ${field} reached the server`);
        }
        const proven = provenOf({ ...rest, outcome, arrivals });
        const refused = arrivals.length === 0 && outcome.type === 'response' && outcome.status >= 400;
        if (refused) stage.note(`${what}: refused with ${outcomeText(outcome)}`);
        if (!refused && typeof proven === 'string')
          stage.holds(false, `${what}: the request ${proven}`, NOT_REPLACED);
        stage.sound(RIGHT, arrivals);
        const last = arrivals.at(-1);
        if (last !== undefined) beside(stage, what, control, last, RIGHT);
      }
    },
  },
  {
    id: 'CL-SC-12',
    title: 'passes requests without a session-bound token on, and proves no other credentials',
    across: { http: AXES.http },
    cause: OTHER_CREDENTIALS,
    async run(stage) {
      await stage.control([]);
      const basic = Buffer.from('agent:tsbt').toString('base64');
      for (const [what, plan, free] of [
        ['a request without Authorization', { token: null }, false],
        [
          'a request with Basic credentials',
          { token: null, fields: [['Authorization', `Basic ${basic}`]] },
          false,
        ],
        [
          'a request with a token that is bound to nothing',
          { token: { boundTo: null, sessionBound: false } },
          true,
        ],
      ] as const) {
        const { arrivals, outcome } = await stage.journey(what, plan, 'variant', 'passed on');
        if (arrivals.length === 0)
          stage.observe(`${what} is not passed on: the agent got ${outcomeText(outcome)}`);
        if (!free && arrivals.some(isProven)) stage.observe(`${what} arrived with a proof`);
      }
    },
  },
]);
