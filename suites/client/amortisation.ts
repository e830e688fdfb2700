import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import { AXES } from '../../harness/scenario/permutation.ts';

/** What session binding costs a client, as it is used: draft -06 §2.1 item 3. */

const USERS = 3;

export const amortisation = clientSuite('client-amortisation', [
  {
    id: 'CL-REUSE-1.amortisation',
    title: 'makes right proofs all along a series of requests (and what they cost is measured)',
    across: { http: AXES.http },
    cause:
      'Somewhere in the series a proof stops to fit. Keep a proof with its token and its connection, and make a new one where either is another.',
    async run(stage) {
      await stage.control(['form', 'ekm', 'ath']);
      await stage.connections.at(-1)?.end();
      const rounds = stage.full ? 50 : 10;
      const tokens = Array.from({ length: USERS }, () => stage.mint());
      const firsts: number[] = [];
      const later: number[] = [];
      let connectionsBefore = stage.connections.length;
      for (let round = 0; round < rounds; round++) {
        for (const token of tokens) {
          const { outcome } = await stage.journey('a request of a series', { token });
          // A request that needed a connection of its own counts among the first ones.
          const opened = stage.connections.length > connectionsBefore;
          connectionsBefore = stage.connections.length;
          (opened ? firsts : later).push(outcome.durationMs);
        }
      }
      stage.sound(['form', 'ekm', 'ath']);
      const series = stage.arrivals().filter(({ token }) => token !== null && tokens.includes(token));
      const proofs = new Set(series.flatMap(({ proofs: [proof] }) => (proof === undefined ? [] : [proof])));
      const connections = new Set(series.map(({ request }) => request.connection));
      const requests = USERS * rounds;
      stage.measure(`Signatures per request (${USERS} tokens, ${requests} requests)`, proofs.size / requests);
      stage.measure('Proofs per connection', proofs.size / Math.max(1, connections.size));
      stage.measure('Connections per request', connections.size / requests);
      if (firsts.length > 0) stage.measure('A request that opens a connection, median', median(firsts), 'ms');
      if (later.length > 0) stage.measure('Any other request, median', median(later), 'ms');
    },
  },
]);

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
