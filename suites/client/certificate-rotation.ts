import type { KeyType } from '../../certs/identity.ts';
import { KEY_TYPES } from '../../certs/identity.ts';
import { bearerOf } from '../../harness/scenario/client/arrival.ts';
import { challenged, serveProven } from '../../harness/scenario/client/answers.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { beside, twice } from './controls.ts';
import { FIT, LOOK_MS, LOOKS, presents, renewed, showsUp } from './renewal.ts';

/** draft -06 §2.3.3, Appendix C.2: the client's certificate is replaced while it works. */

const NOT_TAKEN_UP =
  'New connections go on with the certificate of the start. Read certificate and key again on SIGHUP, or whenever they have changed, and give them to every new connection.';
const HALF_TAKEN_UP =
  'Certificate, key, thumbprint and algorithm come from different times. Derive all of them from one identity, and keep that identity with the connection it was presented on.';
const OLD_CONNECTION =
  'Proofs for a connection of the time before are made with the new key or thumbprint. A connection keeps the identity that it was opened with, for as long as it is used (draft -06 §2.3.3).';
const LOOP =
  'A token that is bound to the former certificate is tried again and again. It stays bound to that one: hand the refusal to the agent, who has to get another token.';

/** What is of another identity where the client has mixed up two. */
const OF_THE_IDENTITY = ['alg', 'thumbprint', 'signature'] as const;

const MOST_ATTEMPTS = 3;
const PATIENCE = 8;

export const certificateRotation = clientSuite('client-certificate-rotation', [
  {
    id: 'CL-SVID-1',
    title: 'presents the new certificate on new connections after a rotation',
    across: { http: AXES.http },
    capabilities: ['certificate-rotation'],
    ownInstance: true,
    cause: NOT_TAKEN_UP,
    async run(stage) {
      await stage.control([], 'a request before the rotation');
      const identity = await renewed(stage);
      await stage.rotate(identity);
      const shows = await showsUp(stage, identity);
      stage.holds(shows, 'no new connection presents the new certificate, a second after the rotation');
    },
  },
  {
    id: 'CL-SVID-1.proofs',
    title: 'makes right proofs on connections with a new certificate, of whatever key type',
    across: { http: AXES.http },
    capabilities: ['certificate-rotation'],
    ownInstance: true,
    cause: { defect: HALF_TAKEN_UP },
    async run(stage) {
      const { arrival: control } = await twice(stage, FIT, 'a request before the rotation');
      const own = stage.permutation.key;
      const others = KEY_TYPES.filter((type) => type !== own).slice(0, stage.full ? undefined : 1);
      const seen: KeyType[] = [];
      for (const keyType of [own, ...others]) {
        const identity = await renewed(stage, keyType);
        await stage.rotate(identity);
        if (!(await showsUp(stage, identity))) {
          if (keyType === own) break;
          stage.note(
            `no connection presents the certificate with a ${keyType} key, which may not be supported`,
          );
          continue;
        }
        seen.push(keyType);
        const what = `a token for the new certificate (${keyType} key)`;
        const proven = await stage.proves(FIT, what, { token: { boundTo: identity } }, OF_THE_IDENTITY);
        if (proven !== undefined) beside(stage, what, control, proven.arrival, FIT);
      }
      if (seen.length === 0)
        stage.inconclusive('no new connection presents the new certificate; see CL-SVID-1');
    },
  },
  {
    id: 'CL-SVID-2',
    title: 'goes on making proofs with the old key on connections that were opened with the old certificate',
    across: { http: AXES.http },
    capabilities: ['certificate-rotation'],
    ownInstance: true,
    cause: { defect: OLD_CONNECTION },
    async run(stage) {
      const { arrival } = await stage.control(FIT, 'a request before the rotation');
      const old = arrival.request.connection;
      const identity = await renewed(stage);
      await stage.rotate(identity);
      // Two at a time, so that a client with a pool opens a connection and shows whether it has reloaded.
      const both = (): Promise<unknown> =>
        Promise.all([
          stage.journey('another token for the old certificate'),
          stage.journey('a token for the new certificate', { token: { boundTo: identity } }),
        ]);
      for (let look = 0; look < LOOKS; look++) {
        await both();
        if (!old.open || stage.connections.some((connection) => presents(connection, identity))) break;
        await stage.elapse(LOOK_MS);
      }
      await both();
      const later = stage
        .arrivals()
        .filter(({ request }) => request.connection === old && request.id > arrival.request.id);
      stage.sound(FIT, later, OF_THE_IDENTITY);
      if (later.length === 0) stage.note('the client did not use the old connection after the rotation');
    },
  },
  {
    id: 'CL-RETRY-3.rotation',
    title: 'does not try a token of the former certificate for ever on connections with the new one',
    capabilities: ['certificate-rotation'],
    ownInstance: true,
    cause: LOOP,
    async run(stage) {
      const token = stage.mint();
      await twice(stage, [], 'a request before the rotation', { token });
      const identity = await renewed(stage);
      await stage.rotate(identity);
      if (!(await showsUp(stage, identity)))
        stage.inconclusive('no new connection presents the new certificate; see CL-SVID-1');
      let refusals = 0;
      stage.answerWith((request) =>
        bearerOf(request) === token.compact && refusals++ < PATIENCE
          ? challenged('invalid_token')
          : serveProven(request),
      );
      const what = 'the token of the former certificate, answered 401 invalid_token';
      const { arrivals } = await stage.journey(what, { token, once: true }, 'variant', 'handed to the agent');
      const attempts = arrivals.length > PATIENCE ? `more than ${PATIENCE}` : String(arrivals.length);
      stage.holds(
        arrivals.length <= MOST_ATTEMPTS,
        `${what}: ${attempts} attempts at one request of the agent’s`,
      );
      stage.answerWith(serveProven);
      await stage.proves([], 'a token for the new certificate', { token: { boundTo: identity } });
    },
  },
]);
