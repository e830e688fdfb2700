import type { Answer } from '../../harness/counterpart/resource-server/contract.ts';
import { serveProven, status } from '../../harness/scenario/client/answers.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import { AXES, EVERY_TRANSPORT } from '../../harness/scenario/permutation.ts';
import { meeting, type Met } from './meeting.ts';
import {
  allSound,
  anotherServer,
  answering,
  endAll,
  noteSingle,
  ON_RESUMED,
  returns,
  servingOnce,
  together,
} from './upstream.ts';

/** draft -06 §2.1, §3.3.2 step 3, Appendix B.6.1: a proof belongs to one connection. */

const KEPT =
  'A proof, or an exporter value, outlives its connection. Keep both with the connection they belong to, as its member or keyed by the connection object, so that they go when it goes.';

const RESENT =
  'The proof is set before, or above, the HTTP stack chooses the connection, and a retry of the stack takes it along to another one. Make the proof for the connection that was chosen, and turn the stack’s own retries off or make a new proof in each.';

const SESSION_KEPT =
  'The exporter value is kept with the TLS session and taken up again on resumption. Each connection has its own: export it anew after every handshake, abbreviated ones too.';

const MIXED_UP =
  'The proof is made for one connection of the pool, and the request goes out on another. Choose the connection first, then make the proof with its exporter value.';

const KINDS_12 = ['tickets', 'session-ids'] as const;

const CLOSED_421: Answer = { kind: 'response', status: 421, fields: [], body: '', closes: true };
const CLOSED_408: Answer = { ...CLOSED_421, status: 408 };

const UNANSWERED: readonly Met[] = [
  ['its connection ended as the request came', [{ kind: 'end' }]],
  ['its connection was reset as the request came', [{ kind: 'reset' }]],
  ['two connections in a row ended as the request came', [{ kind: 'end' }, { kind: 'end' }]],
];
const MISDIRECTED: readonly Met[] = [
  ['it was answered 421', [status(421)]],
  ['it was answered 421 and the connection ended', [CLOSED_421]],
  ['it was answered 408 and the connection ended', [CLOSED_408]],
];
const REFUSED_STREAM: readonly Met[] = [
  ['its stream was refused', [{ kind: 'refuse-stream' }]],
  ['two of its streams in a row were refused', [{ kind: 'refuse-stream' }, { kind: 'refuse-stream' }]],
];
const LOST: readonly Met[] = [
  ['the connection ended in mid-response', [{ kind: 'cut', status: 200, how: 'end' }]],
  ['the connection was reset in mid-response', [{ kind: 'cut', status: 200, how: 'reset' }]],
];

/** So many connections a client has for one server at least, if it has several. */
const POOL = 3;

export const connections = clientSuite('client-connections', [
  {
    id: 'CL-EKM-4',
    title: 'makes each proof for the connection that it travels on, also after a reconnect',
    across: EVERY_TRANSPORT,
    cause: KEPT,
    async run(stage) {
      const token = stage.mint();
      const { arrival: control } = await stage.control(['form', 'ekm'], 'the first request', { token });
      stage.answerWith(servingOnce);
      for (let i = 0; i < (stage.full ? 5 : 2); i++)
        await returns(stage, ['ekm'], control, 'each connection ends with its response', { token });
      stage.answerWith(serveProven);
      await endAll(stage);
      await returns(stage, ['ekm'], control, 'the same token after the connection was closed', { token });
      for (const connection of stage.connections) connection.reset();
      // A request that crosses the reset may be retried: that is for CL-EKM-5.
      await stage.journey('a request without a token, by which the client knows of the reset', {
        token: null,
      });
      await returns(stage, ['ekm'], control, 'the same token after the connection was reset', { token });
      allSound(stage, ['ekm']);
    },
  },
  {
    id: 'CL-EKM-4.parallel',
    title: 'makes each proof for the connection that it travels on when several stand at once',
    across: EVERY_TRANSPORT,
    cause: MIXED_UP,
    async run(stage) {
      stage.meet({ maxConcurrentStreams: 1 });
      const token = stage.mint();
      await stage.control(['form', 'ekm'], 'the first request', { token });
      const crowd = 8;
      for (let wave = 1; wave <= 2; wave++) {
        stage.answerWith(together(stage, POOL));
        await Promise.all(
          Array.from({ length: crowd }, () =>
            stage.journey(`one of ${crowd} at once, wave ${wave}`, { token }),
          ),
        );
      }
      allSound(stage, ['ekm']);
      noteSingle(stage);
    },
  },
  {
    id: 'CL-EKM-4.resumption',
    title: 'makes new proofs on a connection that resumes a TLS session',
    across: EVERY_TRANSPORT,
    cause: SESSION_KEPT,
    async run(stage) {
      const kinds = stage.permutation.tls === 'TLSv1.2' ? KINDS_12 : (['tickets'] as const);
      const token = stage.mint();
      const { arrival: control } = await stage.control(['form', 'ekm'], 'the first request', { token });
      for (const resumption of kinds) {
        stage.meet({ resumption });
        for (const what of [
          'where a session can be kept',
          'where it can be resumed',
          'where it can be again',
        ]) {
          await endAll(stage);
          await returns(stage, ['ekm'], control, `after a reconnect, ${what} (${resumption})`, { token });
        }
      }
      allSound(stage, ['ekm'], undefined, ON_RESUMED);
      if (!stage.connections.some(({ facts }) => facts.resumed))
        stage.note('the client resumes no TLS session');
    },
  },
  {
    id: 'CL-EKM-5',
    title: 'sends no proof on another connection when the server ends one just as a request comes',
    across: EVERY_TRANSPORT,
    cause: RESENT,
    run: (stage) => meeting(stage, UNANSWERED),
  },
  {
    id: 'CL-EKM-5.misdirected',
    title: 'sends no proof on another connection when a request is answered 421 or 408',
    across: EVERY_TRANSPORT,
    cause: RESENT,
    run: (stage) => meeting(stage, MISDIRECTED),
  },
  {
    id: 'CL-EKM-5.refused-stream',
    title: 'sends no proof on another connection when an HTTP/2 stream is refused',
    across: { tls: AXES.tls, http: ['h2'] },
    cause: RESENT,
    run: (stage) => meeting(stage, REFUSED_STREAM),
  },
  {
    id: 'CL-EKM-5.goaway',
    title: 'sends no proof on another connection when GOAWAY leaves a request out',
    across: { tls: AXES.tls, http: ['h2'] },
    cause: RESENT,
    async run(stage) {
      const token = stage.mint();
      const { arrival: control } = await stage.control(['form', 'ekm'], 'a request before', { token });
      for (const connection of stage.connections) connection.goAway(1);
      await returns(stage, ['ekm'], control, 'a request just after GOAWAY', { token });
      stage.answerWith(answering({ kind: 'go-away' }));
      await returns(stage, ['ekm'], control, 'a request: GOAWAY left its stream out', { token });
      await returns(stage, ['ekm'], control, 'the same token afterwards', { token });
      allSound(stage, ['ekm']);
    },
  },
  {
    id: 'CL-EKM-5.fallback',
    title: 'sends no proof on an HTTP/1.1 connection that was made for one of HTTP/2, nor the other way',
    across: { tls: AXES.tls, http: ['h2'] },
    capabilities: ['http/1.1'],
    cause: RESENT,
    async run(stage) {
      const token = stage.mint();
      const { arrival: control } = await stage.control(['form', 'ekm'], 'a request before', { token });
      for (const http of ['http/1.1', 'h2'] as const) {
        stage.answerWith(answering({ kind: 'go-away' }));
        stage.meet({ http });
        const what = `a request was left out, and now there is ${http} only`;
        await returns(stage, ['ekm'], control, what, { token });
        await returns(stage, ['ekm'], control, `the same token over ${http}`, { token });
      }
      allSound(stage, ['ekm']);
    },
  },
  {
    id: 'CL-SC-3',
    title: 'derives a new exporter value and makes new proofs after the loss of the upstream connection',
    across: EVERY_TRANSPORT,
    cause: KEPT,
    async run(stage) {
      const token = stage.mint();
      const { arrival: control } = await stage.control(['form', 'ekm'], 'before', { token });
      for (const [what, answers] of LOST) {
        stage.answerWith(answering(...answers));
        await returns(stage, ['ekm'], control, `a request: ${what}`, { token });
        await returns(stage, ['ekm'], control, 'the same token afterwards', { token });
      }
      const identity = await anotherServer(stage, 'server after a restart');
      for (const change of [{ identity }, { resumption: 'tickets' }, { resumption: 'tickets' }] as const) {
        await stage.counterpart.refuseConnections(true);
        await endAll(stage);
        stage.meet(change);
        await stage.counterpart.refuseConnections(false);
        const what = 'the same token after a restart of the server';
        const how = 'identity' in change ? 'with another certificate' : 'which resumes sessions';
        await returns(stage, ['ekm'], control, `${what} ${how}`, { token });
      }
      allSound(stage, ['ekm']);
    },
  },
  {
    id: 'CL-SC-4',
    title: 'forgets what belongs to a connection when it ends: no old proof comes back with its token',
    across: { http: AXES.http },
    cause:
      'Proofs are kept after their connection has ended, under something that a later connection has too: the server’s address, a number, a port. Keep them with the connection, and drop them when it ends.',
    async run(stage) {
      const tokens = Array.from({ length: stage.full ? 20 : 6 }, () => stage.mint());
      const [first] = tokens;
      await stage.control(['form', 'ekm'], 'the first request', { token: first ?? null });
      for (const token of tokens) {
        await endAll(stage);
        await stage.journey('another token on another connection', { token });
        await stage.journey('the first token on this connection', { token: first ?? null });
      }
      for (const token of tokens) await stage.journey('a token of an earlier connection', { token });
      allSound(stage, ['ekm']);
    },
  },
]);
