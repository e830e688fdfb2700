import { bearerOf, proofsOf } from '../../harness/scenario/client/arrival.ts';
import { examine } from '../../harness/scenario/client/proof-examination.ts';
import type { Defect } from '../../harness/scenario/client/defect.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { UpstreamRequest } from '../../harness/counterpart/resource-server/contract.ts';

/** What the next server C sees of an intermediary B. */

/** What is wrong with the proof of a request that came to C; a missing or doubled proof too. */
export function defectsAt(stage: Stage, request: UpstreamRequest): readonly Defect[] {
  const { upstream, upstreamName } = stage.behind;
  const { connections, port } = upstream;
  const proofs = proofsOf(request);
  const [proof] = proofs;
  if (proof === undefined || proofs.length > 1)
    return [
      {
        aspect: 'form',
        what: `the request to the next server carries ${proofs.length} proofs`,
        cure: 'Make one proof of your own for each token and connection to the next server.',
      },
    ];
  return examine(proof, {
    connection: request.connection,
    others: connections.filter((connection) => connection !== request.connection),
    token: bearerOf(request) ?? '',
    request,
    firstSeenAt: request.receivedAt,
    host: `${upstreamName}:${port}`,
  });
}

/** Everything of a request as one text, to look for what must not be in it. */
export function everythingOf({ target, fields, body }: UpstreamRequest): string {
  return [target, ...fields.map(([name, value]) => `${name}: ${value}`), body.toString('latin1')].join('\n');
}
