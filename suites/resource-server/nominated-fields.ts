import { refused } from '../../harness/scenario/expectation.ts';
import type { RequestPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Field } from '../../harness/wire/connection.ts';
import { subjectIn } from './concurrency.ts';

/**
 * RFC 9110 §7.6.1: a client nominates fields in Connection, and whoever forwards the request removes them. Removing
 * them before everything else is as much in order as ignoring it, or answering 400.
 */

const DROPPED =
  'Connection nominates the field, and what forwards the request removes it between two readers: one of them demands or verifies what the other never sees. Remove nominated fields before anything reads them, or ignore nominations of fields that are not hop-by-hop, or answer 400.';
const IDENTITY_DROPPED =
  'The field by which the process in front tells the application who is calling is removed or passed on because the client nominated it in Connection. Remove nominated fields from the client’s request first, set your own after that, and let the application reject requests without it.';

const PROOF = 'Session-Binding-Proof';
const TOKEN = 'Authorization';

/** What a client nominates. */
function nominations(full: boolean): readonly (readonly [what: string, fields: readonly Field[]])[] {
  const nominating = (...values: readonly string[]): readonly [string, readonly Field[]] => [
    `Connection: ${values.join(' and Connection: ')}`,
    values.map((value) => ['Connection', value] as const),
  ];
  return [
    nominating(PROOF),
    nominating(TOKEN),
    ...(full
      ? [
          nominating(`keep-alive, ${TOKEN.toLowerCase()}, ${PROOF.toLowerCase()}`),
          nominating('keep-alive', PROOF),
          nominating('keep-alive', TOKEN),
          nominating(`close, ${PROOF}`),
          nominating(`,${PROOF.toUpperCase()} ,`),
          nominating(`${PROOF},${PROOF}`),
        ]
      : [nominating(`keep-alive, ${TOKEN.toLowerCase()}, ${PROOF.toLowerCase()}`)]),
  ];
}

/** What is wrong with a request whose fields are nominated. */
const WRONG: readonly Variation[] = [
  { what: 'no proof', change: { proof: null }, expect: refused('use_session_binding') },
  {
    what: 'ekm is the value of no connection',
    change: { proof: { claims: { ekm: Buffer.alloc(32, 7).toString('base64url') } } },
  },
  { what: 'no token', change: { token: null, proof: null }, expect: refused('401') },
];

/** Judged: a served request was served as the subject of its own token. */
function servedAs(stage: Stage, what: string, exchange: Exchange, subject: unknown, cause: string): void {
  if (!exchange.served) return stage.note(`${what}: refused (${exchange.reading.text})`);
  stage.holds(
    subjectIn(exchange) === subject,
    `${what}: served as ${JSON.stringify(subjectIn(exchange)) ?? 'nobody'}, must be ${JSON.stringify(subject)}`,
    cause,
  );
}

export const nominatedFields = suite('resource-server', 'nominated-fields', [
  {
    id: 'RS-FLD-13',
    title: 'verifies the proof of every token, whatever fields the client nominates in Connection',
    across: { http: ['http/1.1'] },
    cause: DROPPED,
    async run(stage) {
      const echo = stage.setting.target.capabilities.has('echo');
      const subject = subjectIn(await stage.control());
      for (const [what, fields] of nominations(stage.full)) {
        const base: RequestPlan = { fields };
        const nominated = await stage.send(
          `the valid request with ${what}`,
          base,
          {},
          'variant',
          'served as the subject of the token, or refused',
        );
        if (echo) servedAs(stage, `the valid request with ${what}`, nominated, subject, DROPPED);
        for (const wrong of WRONG) {
          const variation = { ...wrong, what: `${what}: ${wrong.what}` };
          await stage.refusesOne(refused('invalid_proof'), variation, nominated, base);
        }
      }
      await stage.control('the valid request again');
    },
  },
  {
    id: 'RS-FWD-3.nominated',
    title: 'serves as the subject of the token although Connection nominates the target’s identity fields',
    across: { http: ['http/1.1'] },
    capabilities: ['echo'],
    cause: IDENTITY_DROPPED,
    async run(stage) {
      const { identityFields: names = [] } = stage.setting.target;
      if (names.length === 0)
        return stage.notApplicable(
          'the manifest names no identityFields, by which a process in front tells the application who is calling',
        );
      const subject = subjectIn(await stage.control());
      const nominated = names.flatMap((name) => [
        [`Connection: ${name}`, [['Connection', name]]] as const,
        [
          `Connection: ${name}, and ${name} forged`,
          [
            ['Connection', name],
            [name, 'mallory'],
          ],
        ] as const,
        [
          `Connection: ${name.toLowerCase()}, ${TOKEN}, and ${name} forged`,
          [
            ['Connection', `keep-alive, ${name.toLowerCase()}, ${TOKEN}`],
            [name, 'mallory'],
          ],
        ] as const,
      ]);
      for (const [what, fields] of nominated) {
        const exchange = await stage.send(
          `the valid request with ${what}`,
          { fields },
          {},
          'variant',
          'served as the subject of the token, or refused',
        );
        servedAs(stage, `the valid request with ${what}`, exchange, subject, IDENTITY_DROPPED);
        await stage.refusesOne(
          refused('use_session_binding'),
          { what: `${what}: no proof`, change: { proof: null } },
          exchange,
          { fields },
        );
      }
      await stage.control('the valid request again');
    },
  },
]);
