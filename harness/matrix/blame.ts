import type { Blame, Cell, JourneyOutcome, JourneyResult, MatrixParty } from './record.ts';

/**
 * Says of every failure whose matter it is, from the cells in which the reference stands in the place of one side: a
 * client that fails with the reference server too is to blame, a server that fails with the reference client too is, and
 * where both get along with the reference it is something between the two.
 */
export function blame(
  cells: readonly Cell[],
  clients: readonly MatrixParty[],
  servers: readonly MatrixParty[],
): readonly Cell[] {
  const client = clients.find(({ reference }) => reference)?.name;
  const server = servers.find(({ reference }) => reference)?.name;
  const outcomeAt = (
    at: { readonly client: string | undefined; readonly server: string | undefined },
    journey: string,
  ): JourneyOutcome | undefined =>
    cells
      .find((cell) => cell.client === at.client && cell.server === at.server)
      ?.journeys.find((result) => result.journey === journey)?.outcome;
  return cells.map((cell) => ({
    ...cell,
    journeys: cell.journeys.map((result): JourneyResult => {
      if (result.outcome !== 'fail') return result;
      // The reference in its own place is no swap: what fails with it is the other side's.
      const withReferenceServer =
        cell.server === server ? 'fail' : outcomeAt({ client: cell.client, server }, result.journey);
      const withReferenceClient =
        cell.client === client ? 'fail' : outcomeAt({ client, server: cell.server }, result.journey);
      return {
        ...result,
        blame: judged(
          withReferenceServer,
          withReferenceClient,
          cell.server === server,
          cell.client === client,
        ),
      };
    }),
  }));
}

function judged(
  withReferenceServer: JourneyOutcome | undefined,
  withReferenceClient: JourneyOutcome | undefined,
  serverIsReference: boolean,
  clientIsReference: boolean,
): Blame {
  if (serverIsReference && clientIsReference)
    return {
      on: 'both',
      because: 'Both sides are the reference: this is a fault of the suite or of the reference.',
    };
  if (serverIsReference)
    return { on: 'client', because: 'It fails with the reference server: the client is to blame.' };
  if (clientIsReference)
    return { on: 'server', because: 'It fails with the reference client: the server is to blame.' };
  const swaps = `With the reference server in place of this one: ${word(withReferenceServer)}; with the reference client in place of this one: ${word(withReferenceClient)}.`;
  const [clientFails, serverFails] = [withReferenceServer === 'fail', withReferenceClient === 'fail'];
  if (clientFails && serverFails) return { on: 'both', because: `${swaps} Both sides fail on their own.` };
  if (clientFails) return { on: 'client', because: `${swaps} The client is to blame.` };
  if (serverFails) return { on: 'server', because: `${swaps} The server is to blame.` };
  return { on: 'pair', because: `${swaps} Each gets along with the reference, so it is between these two.` };
}

function word(outcome: JourneyOutcome | undefined): string {
  if (outcome === undefined) return 'not tried';
  return {
    pass: 'it works',
    fail: 'it fails too',
    'not-applicable': 'not applicable',
    inconclusive: 'unclear',
  }[outcome];
}
