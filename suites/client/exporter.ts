import type { Token } from '../../harness/forge/token.ts';
import { readJwt } from '../../harness/forge/read.ts';
import { serveProven } from '../../harness/scenario/client/answers.ts';
import type { Arrival } from '../../harness/scenario/client/arrival.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { formOfExporterValue } from '../../harness/scenario/client/proof-examination.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { allSound, answering, endAll, isProven, NEVER, returns } from './upstream.ts';

/** draft -06 §2.2, §5.3: the exporter value in the client's proofs. */

const WITHOUT_EXTENDED_MASTER_SECRET =
  'Proofs are made on a TLS 1.2 connection without the extended master secret, where a man in the middle can give two connections the same exporter value (RFC 7627 §5.4). Look at what was negotiated and end such a connection, or require TLS 1.3.';

const EARLY =
  'The request goes out as early data, before the handshake is complete: it can be replayed, and no exporter value of the connection exists yet (RFC 8446 §E.5). Send session-bound tokens after the handshake only.';

const AGAIN_EARLY =
  'After 425 the request is sent again as early data, of which the server has just said that it takes none. Wait for the handshake to complete, and make the proof with the exporter value of that connection (RFC 8470 §5.2); or hand the 425 to the agent.';

const FIRST_HANDSHAKE_KEPT =
  'The exporter value of the first handshake is kept when the server renegotiates. Refuse renegotiation (the option SSL_OP_NO_RENEGOTIATION in OpenSSL), or export anew after it and forget every proof made before.';

/** Each with another hash, or another length of the secrets (RFC 8446 §B.4). */
const SUITES_13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
/** Each with another hash in the pseudorandom function (RFC 5289). */
const SUITES_12 = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'];

/** Low-level TLS speaks HTTP/1.1 only. */
const LOW_LEVEL_13 = { tls: ['TLSv1.3'], http: ['http/1.1'] } as const;

function ekmOf({ proofs: [proof = ''] }: Arrival): unknown {
  const { claims } = readJwt(proof);
  return typeof claims === 'object' && claims !== null && 'ekm' in claims ? claims.ekm : undefined;
}

/** Judged: the exporter value over each of the cipher suites that the client speaks. What arrived with a proof is returned. */
async function overEach(stage: ClientStage, suites: readonly string[]): Promise<readonly Arrival[]> {
  const proven: Arrival[] = [];
  for (const ciphers of suites) {
    await endAll(stage);
    stage.meet({ ciphers });
    const { arrivals } = await stage.journey(`a request over ${ciphers}`);
    proven.push(...arrivals.filter(isProven));
    if (arrivals.length === 0)
      stage.note(`no request arrived over ${ciphers}, which a client need not speak`);
  }
  allSound(stage, ['form', 'ekm'], proven, NEVER);
  stage.holds(
    proven.every((arrival) => typeof ekmOf(arrival) === 'string'),
    'the proof has no exporter value',
    'The claim ekm is missing. Every proof has ath, ekm (strings) and iat (a number of seconds) (draft -06 §2.3.2.1).',
  );
  if (proven.length === 0) stage.inconclusive('no request with a proof arrived; see CL-FLD-1');
  return proven;
}

function needOpenSsl(stage: ClientStage): void {
  const { opensslUnavailable } = stage.counterpart;
  if (opensslUnavailable !== undefined) stage.inconclusive(opensslUnavailable, 'environment');
}

/** Begins with a request on a full handshake, where further ones may be early data (RFC 8446 §2.3). */
async function whereEarlyDataIsTaken(
  stage: ClientStage,
): Promise<{ readonly token: Token; readonly control: Arrival }> {
  needOpenSsl(stage);
  stage.meet({ engine: 'openssl', resumption: 'tickets', earlyData: true });
  const token = stage.mint();
  const { arrival } = await stage.control([], 'a request on a full handshake', { token });
  return { token, control: arrival };
}

/** Judged: neither this token nor a proof came as early data. */
function nothingEarly(stage: ClientStage, token: Token): void {
  const early = stage.connections.map(({ earlyData }) => earlyData.toString('latin1'));
  stage.holds(
    !early.some((data) => data.includes(token.compact)),
    'the session-bound token arrived as early data',
  );
  stage.holds(!early.some((data) => /^session-binding-proof:/im.test(data)), 'a proof arrived as early data');
  if (!stage.connections.some(({ facts }) => facts.resumed))
    stage.note('the client resumes no TLS session, so that it has no early data to send');
}

export const exporter = clientSuite('client-exporter', [
  {
    id: 'CL-EKM-1',
    title: 'puts the exporter value of the connection into its proof, whatever the cipher suite',
    across: { tls: ['TLSv1.3'], http: AXES.http },
    async run(stage) {
      await overEach(stage, SUITES_13);
    },
  },
  {
    id: 'CL-EKM-2',
    title: 'exports on TLS 1.2 with a context of length zero, or without a context',
    across: { tls: ['TLSv1.2'], http: AXES.http },
    async run(stage) {
      const proven = await overEach(stage, SUITES_12);
      const without = proven.filter(
        (arrival) => formOfExporterValue(ekmOf(arrival), arrival.request.connection) === 'absent',
      );
      if (without.length > 0)
        stage.observe(
          'on TLS 1.2 the exporter value is made without a context, where the draft reads as one of length zero: a server that takes only that one refuses these proofs',
        );
    },
  },
  {
    id: 'CL-EKM-3',
    title: 'makes no proof on a TLS 1.2 connection without the extended master secret',
    across: { tls: ['TLSv1.2'], http: AXES.http },
    cause: WITHOUT_EXTENDED_MASTER_SECRET,
    async run(stage) {
      const { arrival: control } = await stage.control([], 'a request with the extended master secret');
      await endAll(stage);
      stage.meet({ extendedMasterSecret: false });
      const what = 'a request without the extended master secret';
      const { arrivals } = await stage.journey(what, {}, 'variant', 'no proof');
      for (const arrival of arrivals) {
        const { id, facts } = arrival.request.connection;
        if (facts.extendedMasterSecret) continue;
        const proven = isProven(arrival);
        const came = proven ? 'a proof arrived' : 'no proof, but the token arrived';
        stage.pair(what, control, arrival, 'no proof', came, proven ? 'fail' : 'pass');
        stage.holds(!proven, `on ${id}, which is without the extended master secret, ${came}`);
      }
    },
  },
  {
    id: 'CL-EKM-6',
    title: 'goes on with right proofs after a KeyUpdate of TLS 1.3',
    across: LOW_LEVEL_13,
    cause:
      'A KeyUpdate is taken for a change of the exporter value. It changes traffic keys only; the exporter value stays (RFC 8446 §7.2, §7.5).',
    async run(stage) {
      needOpenSsl(stage);
      stage.meet({ engine: 'openssl' });
      const token = stage.mint();
      const { arrival: control } = await stage.control(['form', 'ekm'], 'a request before', { token });
      control.request.connection.keyUpdate();
      await returns(stage, ['ekm'], control, 'the same token after a KeyUpdate', { token });
      await returns(stage, ['ekm'], control, 'another token after a KeyUpdate');
      const { connection } = control.request;
      allSound(stage, ['ekm'], undefined, (arrival) => arrival.request.connection === connection);
    },
  },
  {
    id: 'CL-EKM-7',
    title: 'sends neither a session-bound token nor a proof as early data',
    across: LOW_LEVEL_13,
    cause: EARLY,
    async run(stage) {
      const { token, control } = await whereEarlyDataIsTaken(stage);
      for (let i = 0; i < 2; i++) {
        await endAll(stage);
        await returns(stage, [], control, 'the same token where early data is accepted', { token });
      }
      nothingEarly(stage, token);
    },
  },
  {
    id: 'CL-EKM-7.too-early',
    title: 'sends a request that was answered 425 not again as early data',
    across: LOW_LEVEL_13,
    cause: AGAIN_EARLY,
    async run(stage) {
      const { token, control } = await whereEarlyDataIsTaken(stage);
      for (const [what, closes] of [
        ['a request that is answered 425', false],
        ['a request that is answered 425 as the connection ends', true],
      ] as const) {
        stage.answerWith(answering({ kind: 'response', status: 425, fields: [], body: '', closes }));
        await returns(stage, [], control, what, { token });
        stage.answerWith(serveProven);
        await returns(stage, [], control, 'the same token afterwards', { token });
      }
      nothingEarly(stage, token);
    },
  },
  {
    id: 'CL-EKM-8',
    title: 'refuses TLS 1.2 renegotiation, or makes new proofs after it',
    across: { tls: ['TLSv1.2'], http: ['http/1.1'] },
    cause: FIRST_HANDSHAKE_KEPT,
    async run(stage) {
      const token = stage.mint();
      const { arrival: control } = await stage.control(['form', 'ekm'], 'a request before', { token });
      const outcome = await control.request.connection.renegotiate(stage.full ? 1000 : 400);
      stage.note(`asked to renegotiate: ${outcome}`);
      // With its response the client has read all that belongs to the handshake.
      await stage.journey('a request without token, while the handshake may still be under way', {
        token: null,
      });
      const before = control.request.id;
      for (const again of [token, stage.mint()])
        await returns(stage, ['ekm'], control, 'a request afterwards', { token: again });
      // On another connection there is nothing left of the first handshake: that is for CL-EKM-4.
      const later = stage
        .arrivals()
        .filter(
          ({ request: { id, connection } }) => id > before && connection === control.request.connection,
        );
      const stale = later.filter((arrival) => isProven(arrival) && ekmOf(arrival) === ekmOf(control));
      if (outcome !== 'renegotiated' || stale.length === 0) return allSound(stage, ['ekm'], later, NEVER);
      const proven = later.filter(isProven).length;
      const which = `${stale.length} of ${proven} proofs after the renegotiation`;
      stage.holds(false, `${which} have the exporter value of before`);
    },
  },
]);
