import { randomInt } from 'node:crypto';
import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import type { AuthorizationServerStage } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { Answer } from '../../harness/scenario/authorization-server/issued.ts';
import { seenConfirmation } from '../../harness/scenario/authorization-server/seen-confirmation.ts';
import type { Connection } from '../../harness/wire/connection.ts';

/** draft -06 §2.4, §3.1 step 1: the certificate is that of the token request's own connection, not of one before it. */

const REMEMBERED =
  'The certificate of an ended connection is found again by address and port, which the next connection can have, or by a reused object. Read it from the connection of each request, or drop it when the connection closes, however it closes.';
const TRIES = 10;

/** The outcome of something that needs a certain local port; `undefined` while the system does not give it out. */
async function ifPortIsFree<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('EADDR')) return undefined;
    throw error;
  }
}

/** Opens a connection of alice's that another one can follow from the same local port. */
async function openReopenable(stage: AuthorizationServerStage): Promise<Connection> {
  for (let tries = 0; tries < TRIES; tries++) {
    // The system does not give out by name the ports that it chooses itself.
    const connection = await ifPortIsFree(stage.connect({ localPort: randomInt(20_000, 32_000) }));
    if (connection !== undefined) return connection;
  }
  return stage.inconclusive(`the system gave out none of ${TRIES} local ports`, 'environment');
}

export const reopenedConnections = authorizationServerSuite('as-reopened-connections', [
  {
    id: 'AS-CNF-3.reopened',
    title: 'finds no certificate of an ended connection on the next one from the same address and port',
    cause: REMEMBERED,
    async run(stage) {
      const { renewed, mallory } = stage.identities;
      const next = [
        ['another certificate of alice’s', renewed],
        ['mallory’s certificate', mallory],
        ['no certificate', null],
      ] as const;
      let judged = 0;
      for (const [whose, by] of next) {
        const connection = await openReopenable(stage);
        await stage.token('a session-bound token', {}, { on: connection });
        connection.reset();
        await connection.close();
        const what = `alice’s client_id with ${whose}, from the address and port of her ended connection`;
        const connect = { localPort: connection.facts.localPort };
        const answer = await ifPortIsFree(stage.requestToken(what, {}, { by, connect }));
        if (answer === undefined) continue;
        judged++;
        if (by === renewed) await judgeConfirmation(stage, what, answer, renewed.thumbprint);
        else stage.refuses(what, answer);
      }
      if (judged < next.length)
        stage.inconclusive('the system did not give out the local port again in time', 'environment');
    },
  },
]);

/** Judged: a token that was issued is bound to this certificate. */
async function judgeConfirmation(
  stage: AuthorizationServerStage,
  what: string,
  answer: Answer,
  expected: string,
): Promise<void> {
  const token = tokenOf(answer);
  if (token === null) return stage.note(`${what}: no token, so nothing to compare (${answer.text})`);
  const { 'x5t#S256': actual } = await seenConfirmation(stage, what, token);
  stage.holds(actual === expected, `${what}: x5t#S256 is ${JSON.stringify(actual)}, not ${expected}`);
}
