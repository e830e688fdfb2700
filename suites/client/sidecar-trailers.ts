import type { Field } from '../../harness/wire/connection.ts';
import type { UpstreamRequest } from '../../harness/counterpart/resource-server/contract.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { Journey } from '../../harness/scenario/client/client-play.ts';
import { outcomeText } from '../../harness/scenario/client/client-play.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { beside } from './controls.ts';

/** draft -06 Appendix B.4; RFC 9110 §6.5: what a sidecar does with the trailer section of an agent's request. */

const RELAYED =
  'The trailer section of the agent’s request goes to the server as it is, and servers that merge it into the header find the agent’s proof there. Remove the same fields from both sections, or drop the trailer section, as an intermediary may (RFC 9112 §7.1.2).';
const MERGED =
  'Fields of the agent’s trailer section become header fields. Keep the two sections apart: a trailer field is relayed as one, or dropped (RFC 9110 §6.5.1).';

/** What a server behind would look for. */
const RIGHT = ['form', 'signature', 'ath', 'ekm'] as const;

const BODY = Buffer.from('{"amount":1}\n');

/** Stands in every forged value, so that it is found wherever it goes. */
const FORGED = 'Zm9yZ2VkLWluLXRyYWlsZXJz';
const HARMLESS = 'X-Tsbt-Checksum';

const FORGERIES: readonly Field[] = [
  ['Session-Binding-Proof', FORGED],
  ['session_binding_proof', FORGED],
  ['TLS-Exporter', FORGED],
  ['Client-Cert', `:${FORGED}:`],
];

function names(fields: readonly Field[]): string {
  return fields.map(([name]) => name).join(', ');
}

function forgedIn({ fields, trailers }: UpstreamRequest): {
  readonly header: readonly Field[];
  readonly trailers: readonly Field[];
} {
  const isForged = ([, value]: Field): boolean => value.includes(FORGED);
  return { header: fields.filter(isForged), trailers: trailers.filter(isForged) };
}

export const sidecarTrailers = clientSuite('client-sidecar', [
  {
    id: 'CL-SC-2.trailers',
    title:
      'passes on no proof, exporter value or certificate from the trailer section of its agent’s request',
    across: { http: AXES.http },
    capabilities: ['sidecar'],
    cause: RELAYED,
    async run(stage) {
      const post = { method: 'POST', body: BODY };
      const { arrival: control } = await stage.control(RIGHT, 'a POST without trailers', post);
      const sections = [
        ['a harmless trailer field', [[HARMLESS, 'tsbt']]],
        ['trailer fields about proof, exporter value and certificate', FORGERIES],
      ] as const;
      for (const [name, trailers] of sections) {
        const what = `a POST with ${name}`;
        const plan = { ...post, fields: [['Trailer', names(trailers)]] as const, trailers };
        const ask = (): Promise<Journey> => stage.journey(what, plan, 'variant', 'without them, or refused');
        const first = await ask();
        // An agent's connection may end after a trailer section that nobody read, and a POST is not sent again by itself.
        const { arrivals, outcome } = first.arrivals.length > 0 ? first : await ask();
        stage.sound(RIGHT, arrivals);
        for (const arrival of arrivals) {
          beside(stage, what, control, arrival, RIGHT);
          const { header, trailers: relayed } = forgedIn(arrival.request);
          const isMerged = arrival.request.fields.some(
            ([field]) => field.toLowerCase() === HARMLESS.toLowerCase(),
          );
          stage.holds(header.length === 0, `${what}: ${names(header)} arrived in the header`, MERGED);
          stage.holds(relayed.length === 0, `${what}: ${names(relayed)} arrived in the trailer section`);
          stage.holds(!isMerged, `${what}: ${HARMLESS} arrived in the header`, MERGED);
          if (trailers !== FORGERIES && !isMerged)
            stage.note(
              arrival.request.trailers.length > 0
                ? `${what}: it is relayed`
                : `${what}: it is dropped, as it may be`,
            );
        }
        if (arrivals.length === 0) stage.note(`${what}: the agent got ${outcomeText(outcome)}`);
      }
    },
  },
]);
