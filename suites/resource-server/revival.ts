import { randomInt } from 'node:crypto';
import type { Token } from '../../harness/forge/token.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES, EVERY_TRANSPORT } from '../../harness/scenario/permutation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';
import { prime, timeFor, works } from './primed.ts';
import type { Primed } from './primed.ts';

/** draft -06 §3.3.2, closing paragraphs: a verified binding ends with its connection and never comes back. */

const REVIVED =
  'A binding outlived its connection and was found again by the next one: it is keyed by address and port, a file descriptor, a reused object or the like. Key it by the connection object and drop it when that closes, however it closes.';
const RESUMED =
  'A binding, or the exporter value, is kept with the TLS session (its id, ticket or cache entry) and comes back with it. A resumed connection has an exporter value of its own: verify from scratch (draft -06 §6.1.1).';

/** Opens a connection from this local port; `undefined` while the system does not give it out. */
async function openFrom(stage: Stage, localPort: number): Promise<Connection | undefined> {
  try {
    return await stage.connect({ localPort });
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('EADDR')) return undefined;
    throw error;
  }
}

/**
 * Opens a connection that {@link reopen} can follow. The system lets connections share the ports that it chooses itself,
 * also with those that still wait out their end (RFC 9293 §3.6), and does not give out such a port by name.
 */
export async function openReopenable(stage: Stage): Promise<Connection> {
  for (let tries = 0; tries < 10; tries++) {
    const connection = await openFrom(stage, randomInt(20_000, 32_000));
    if (connection !== undefined) return connection;
  }
  return stage.inconclusive('the system gave out none of ten local ports');
}

/** Opens a connection from the local port of one that has ended; `undefined` while the system does not give it out again. */
export function reopen(stage: Stage, { facts }: Connection): Promise<Connection | undefined> {
  return openFrom(stage, facts.localPort);
}

/** How the first connection ends. */
type Ending = (stage: Stage, primed: Primed) => Promise<void>;

const byReset: Ending = async (_stage, { connection }) => {
  // After the reset, closing only waits until the socket is gone and its port free.
  connection.reset();
  await connection.close();
};

/** Asks the target to end it, so that the waiting state of TCP (RFC 9293 §3.6) is on its side and the port is free here. */
const byTarget: Ending = async (stage, { connection, token, proof }) => {
  await stage.send(
    'the last request',
    { token, proof, fields: [['Connection', 'close']] },
    { on: connection },
  );
  await connection.close();
};

const ROUNDS = 3;

async function fromTheSamePort(stage: Stage, end: Ending): Promise<void> {
  let judged = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const primed = await prime(stage, { connection: await openReopenable(stage) });
    const { connection, token, proof, control } = primed;
    await end(stage, primed);
    const next = await reopen(stage, connection);
    if (next === undefined) continue;
    judged++;
    await stage.refusesOne(
      refused('invalid_proof'),
      {
        what: 'the proof of the ended connection, on one from the same address and port',
        on: next,
        differs: ['proof.claims.ekm'],
      },
      control,
      { token, proof },
    );
    if (!next.open) continue;
    await stage.refusesOne(
      refused('use_session_binding'),
      { what: 'no proof there', on: next, change: { proof: null } },
      control,
      { token, proof },
    );
    if (next.open) await stage.control('a proof of its own there', { token }, { on: next });
  }
  if (judged === 0) stage.inconclusive('the system did not give out the local port again in time');
}

export const revival = suite('resource-server', 'revival', [
  {
    id: 'RS-CACHE-4',
    title: 'finds no binding of an ended connection on the next one from the same address and port',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: REVIVED,
    run: (stage) => fromTheSamePort(stage, byReset),
  },
  {
    id: 'RS-CACHE-4.orderly',
    title:
      'finds no binding of a connection that it ended in order on the next one from the same address and port',
    across: { http: ['http/1.1'] },
    needs: ['persistent-connection'],
    cause: REVIVED,
    run: (stage) => fromTheSamePort(stage, byTarget),
  },
  {
    id: 'RS-CACHE-4.churn',
    title: 'finds no binding of an ended connection on any of many short ones that follow',
    needs: ['persistent-connection'],
    cause: REVIVED,
    async run(stage) {
      const cycles = stage.full ? 200 : 8;
      let before: { readonly token: Token; readonly proof: string } | undefined;
      const more = timeFor(5000);
      for (let cycle = 0; cycle < cycles && (cycle < 8 || more()); cycle++) {
        const connection = await stage.connect();
        if (before !== undefined) {
          const { served, reading } = await stage.send(
            'the token and proof of the connection before',
            before,
            { on: connection },
          );
          if (served)
            return stage.wronglyServed(
              `connection ${cycle + 1} took the proof of the one before (${reading.text})`,
              ['proof.claims.ekm'],
            );
        }
        const token: Token = before?.token ?? (await stage.mint());
        const on = connection.open ? connection : await stage.connect();
        const proof = stage.proof(on, token);
        await works(stage, 'the token with a proof of this connection', { token, proof }, on);
        before = { token, proof };
        if (cycle % 2 === 0) await on.close();
        else on.reset();
      }
    },
  },
  {
    id: 'RS-CACHE-5',
    title: 'takes no binding over to a connection that resumes the TLS session',
    across: EVERY_TRANSPORT,
    needs: ['persistent-connection'],
    cause: RESUMED,
    async run(stage) {
      const kinds =
        stage.permutation.tls === 'TLSv1.2' ? [{ sessionTickets: true }, { sessionTickets: false }] : [{}];
      let judged = 0;
      for (const kind of kinds) {
        const first = await prime(stage, { connection: await stage.connect(kind) });
        const { connection, token, proof, control } = first;
        const base = { token, proof };
        const variations: readonly ((on: Connection) => Promise<unknown>)[] = [
          (on) =>
            stage.refusesOne(
              refused('invalid_proof'),
              {
                what: 'the proof of the first connection on the resumed one',
                on,
                differs: ['connection.resumed', 'proof.claims.ekm'],
              },
              control,
              base,
            ),
          (on) =>
            stage.refusesOne(
              refused('use_session_binding'),
              {
                what: 'no proof on the resumed connection',
                on,
                change: { proof: null },
                differs: ['connection.resumed', 'proof'],
              },
              control,
              base,
            ),
        ];
        for (const refuse of variations) {
          const resumed = await stage.resume(connection, kind);
          if (resumed === undefined) continue;
          judged++;
          await refuse(resumed);
          if (resumed.open)
            noteFresh(
              stage,
              await stage.send('a proof of its own on the resumed connection', { token }, { on: resumed }),
            );
        }
        if (connection.open) await stage.control('the first connection again', base, { on: connection });
      }
      if (judged === 0) stage.notApplicable('the target does not resume TLS sessions');
    },
  },
]);

function noteFresh(stage: Stage, { served, reading }: Exchange): void {
  stage.note(
    served
      ? 'a resumed connection is served with a proof of its own (AMB-04)'
      : `a resumed connection is not served, even with a proof of its own: ${reading.text} (AMB-04)`,
  );
}
