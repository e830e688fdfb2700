import { setTimeout as pause } from 'node:timers/promises';
import { issue } from '../../certs/issue.ts';
import type { Identity } from '../../certs/identity.ts';
import { connect } from '../wire/connect.ts';
import { ConnectFailure } from '../wire/connection.ts';
import type { Field, Outcome } from '../wire/connection.ts';
import { NotApplicable, Unclear } from './journey.ts';
import type { Journey, JourneyLog, Loot } from './journey.ts';
import { isServed, seen } from './pair.ts';
import type { Pair } from './pair.ts';

const PATIENCE_MS = 5000;
/** How often a client is asked that was given another certificate and gives no sign when it has taken it. */
const ROTATION_TRIES = 30;
const ROTATION_PAUSE_MS = 100;
const RESUMPTION_TRIES = 3;

/** The journeys of every cell, in the order in which they are gone. */
export const JOURNEYS: readonly Journey[] = [
  {
    id: 'first-use',
    title: 'A token is used for the first time',
    async go(pair, log) {
      await log.served('a request with a new token', pair.mint());
      const { tls } = pair.observer.traffic;
      return `Served over ${tls.length === 0 ? 'an unknown TLS version' : tls.join(', ')}.`;
    },
  },
  {
    id: 'reuse',
    title: 'The same token is used again',
    async go(pair, log) {
      const token = pair.mint();
      const before = pair.observer.connections;
      for (let number = 1; number <= 5; number++) await log.served(`request ${number} with the token`, token);
      const made = pair.observer.connections - before;
      return `Five requests, ${made === 0 ? 'all on connections that stood already' : `${made} new connections`}.`;
    },
  },
  {
    id: 'two-users',
    title: 'Two users take turns',
    async go(pair, log) {
      const tokens = ['alice', 'bob'].map((subject) => pair.mint({ subject }));
      for (let round = 1; round <= 2; round++)
        for (const token of tokens) {
          const what = `round ${round}: a request of ${token.subject}`;
          const outcome = await log.served(what, token);
          const sub = subjectOf(outcome);
          if (pair.server.manifest.capabilities.includes('echo') && isServed(outcome))
            log.step(
              `${what}: whose it was taken for`,
              sub ?? 'nobody’s',
              token.subject,
              sub === token.subject,
            );
        }
      return 'Each was served as who it is.';
    },
  },
  {
    id: 'parallel',
    title: 'Eight requests with four tokens at once',
    async go(pair, log) {
      const tokens = Array.from({ length: 4 }, () => pair.mint());
      await Promise.all(
        [...tokens, ...tokens].map((token, index) => log.served(`request ${index + 1} of 8`, token)),
      );
      return 'All were served.';
    },
  },
  {
    id: 'new-token',
    title: 'A token is renewed in the middle of a connection',
    async go(pair, log) {
      await log.served('a request with the first token', pair.mint());
      await log.served('a request with the next token', pair.mint());
      return 'The new token was proven where the old one had been.';
    },
  },
  {
    id: 'reconnect',
    title: 'The network cuts the connection',
    async go(pair, log) {
      const token = pair.mint();
      await log.served('a request before', token);
      const before = pair.observer.connections;
      await pair.observer.cut();
      await afterCut(pair, log, token);
      return `Served on ${pair.observer.connections - before} new connections, with a proof for them.`;
    },
  },
  {
    id: 'resumption',
    title: 'A session is resumed',
    async go(pair, log) {
      const token = pair.mint();
      await log.served('a request before', token);
      const before = pair.observer.traffic.resumed;
      for (let attempt = 1; attempt <= RESUMPTION_TRIES; attempt++) {
        await pair.observer.cut();
        await afterCut(pair, log, token);
        const { resumed } = pair.observer.traffic;
        if (resumed > before) return 'A resumed session got a proof of its own, and was served.';
      }
      if (log.steps.some(({ ok }) => !ok)) return '';
      throw new NotApplicable(`cut off ${RESUMPTION_TRIES} times, the two made a full handshake each time`);
    },
  },
  {
    id: 'somebody-elses-token',
    title: 'A token that is bound to another certificate is refused',
    async go(pair, log) {
      const outcome = await pair.ask(pair.mint({ boundTo: pair.store.mallory }));
      log.step('a request with a token of another client', seen(outcome), 'refused', !isServed(outcome));
      await log.served('a request with a token of its own after that', pair.mint());
      return 'Refused, and the next request was served.';
    },
  },
  {
    id: 'replay',
    title: 'A stolen token and its proof are refused on another connection',
    async go(pair, log, loot) {
      if (loot === undefined)
        throw new Unclear('the client sent no proof to the server that keeps what it is sent');
      await log.served('the client uses the token', loot.token);
      for (const [who, identity] of [
        ['on the client’s own machine, with its certificate,', pair.identity],
        ['with another certificate', pair.store.mallory],
        ['without a certificate', null],
      ] as const)
        for (const [what, proofs] of [
          ['token and proof', [loot.proof]],
          ['the token alone', []],
        ] as const) {
          const outcome = await replayed(pair, loot, identity, proofs);
          log.step(`a thief ${who} sends ${what}`, seen(outcome), 'refused', !isServed(outcome));
        }
      await log.served('the client goes on', loot.token);
      return 'Refused each time; the client went on.';
    },
  },
  {
    id: 'certificate-rotation',
    title: 'The client is given another certificate',
    async go(pair, log) {
      if (!pair.client.capabilities.includes('certificate-rotation'))
        throw new NotApplicable('the client does not claim certificate-rotation');
      await log.served('a request before', pair.mint());
      const next = await issue(pair.store.trusted, { name: 'alice, next', keyType: 'P-256' });
      const token = pair.mint({ boundTo: next });
      await pair.rotate(next);
      // Connections keep the certificate that they were opened with (draft -06 §2.3.3): it takes a new one.
      await pair.observer.cut();
      let outcome = await pair.ask(token);
      for (let tries = 1; !isServed(outcome) && tries < ROTATION_TRIES; tries++) {
        await pause(ROTATION_PAUSE_MS);
        await pair.observer.cut();
        outcome = await pair.ask(token);
      }
      log.step('a token bound to the new certificate', seen(outcome), 'served', isServed(outcome));
      return 'Tokens of the new certificate are served.';
    },
  },
];

/** A request that was on its way when the connection broke may fail: agents ask once more. */
async function afterCut(pair: Pair, log: JourneyLog, token: Parameters<Pair['ask']>[0]): Promise<void> {
  const outcome = await pair.ask(token);
  if (isServed(outcome)) log.step('a request after the cut', seen(outcome), 'served', true);
  else {
    log.step(
      'a request after the cut',
      seen(outcome),
      'served, or failed with the connection',
      isBroken(outcome),
    );
    await log.served('the same request once more', token);
  }
}

/** Whether it says that the server could not be reached, and not that it refused. */
function isBroken(outcome: Outcome): boolean {
  return outcome.type === 'failure' || [500, 502, 503, 504].includes(outcome.status);
}

/** The subject that a server with `echo` served. */
function subjectOf(outcome: Outcome): string | undefined {
  if (outcome.type === 'failure') return undefined;
  try {
    const body: unknown = JSON.parse(outcome.body.toString());
    return typeof body === 'object' && body !== null && 'sub' in body ? String(body.sub) : undefined;
  } catch {
    return undefined;
  }
}

/** Sends stolen goods to the server on a connection of the thief's. */
async function replayed(
  { server, store }: Pair,
  { token }: Loot,
  identity: Identity | null,
  proofs: readonly string[],
): Promise<Outcome> {
  const { capabilities, paths } = server.manifest;
  const fields: readonly Field[] = [
    ['Authorization', `Bearer ${token.compact}`],
    ...proofs.map((proof) => ['Session-Binding-Proof', proof] as const),
  ];
  try {
    await using connection = await connect({
      host: server.host,
      port: server.port,
      tls: capabilities.includes('tls1.3') ? 'TLSv1.3' : 'TLSv1.2',
      http: capabilities.includes('http/1.1') ? 'http/1.1' : 'h2',
      identity,
      serverAuthorities: store.trusted.certificate,
    });
    const request = { method: 'GET', target: paths.protected, authority: `localhost:${server.port}`, fields };
    return await connection.send(request, PATIENCE_MS);
  } catch (error) {
    if (error instanceof ConnectFailure) return error.outcome;
    throw error;
  }
}
