import type { Token } from '../../harness/forge/token.ts';
import { read, refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection, WireRequest } from '../../harness/wire/connection.ts';
import type { OpenSslConnection } from '../../harness/wire/openssl-client.ts';
import { readSslSession } from '../../harness/wire/ssl-session.ts';
import { servesWhatItClaims } from './claimed-transports.ts';
import { outlasts } from './outlasting.ts';

/** draft -06 §2.2, §5.3: versions and extensions of TLS on which an exporter value stands, or must not. */

const WITHOUT_EXTENDED_MASTER_SECRET =
  'Exporter values are trusted on a TLS 1.2 connection without the extended master secret, where a man in the middle can give two connections the same value (RFC 7627 §5.4). Require the extension, or TLS 1.3.';

const FIRST_HANDSHAKE_KEPT =
  'Exporter value and certificate of the first handshake are kept when the connection is renegotiated. Switch renegotiation off, or read both anew and discard what was verified before.';

const EARLY_DATA_SERVED =
  'A request that arrived as early data is served on the strength of the early exporter. Wait for the handshake to finish and compare with the exporter value of the whole connection, answer 425, or switch early data off.';

const KEY_UPDATE_ENDS =
  'The TLS library or a terminator in front does not take a KeyUpdate, and ends the connection. Every TLS 1.3 implementation has to take it, and to answer it where that is asked for (RFC 8446 §4.6.3).';

const TLS12: { readonly tls: readonly ['TLSv1.2']; readonly http: typeof AXES.http } = {
  tls: ['TLSv1.2'],
  http: AXES.http,
};

export const tlsProtocol = suite('resource-server', 'tls-protocol', [
  {
    id: 'RS-EKM-6',
    title: 'keeps proofs and verified bindings through TLS 1.3 key updates',
    across: { tls: ['TLSv1.3'] },
    needs: ['persistent-connection'],
    cause: {
      rejected:
        'A KeyUpdate is taken for a change of the exporter value, or drops the bindings that were verified. It changes traffic keys only; the exporter value stays (RFC 8446 §7.2, §7.5).',
      statement:
        'A KeyUpdate is taken for a change of the exporter value, or drops the bindings that were verified. It changes traffic keys only; the exporter value stays (RFC 8446 §7.2, §7.5).',
    },
    run: (stage) =>
      outlasts(stage, {
        what: 'a KeyUpdate',
        cause: KEY_UPDATE_ENDS,
        connect: () => stage.connectLowLevel(),
        play: (connection, provokes) => keepsBindings(stage, connection, provokes),
      }),
  },
  {
    id: 'RS-EKM-9',
    title: 'accepts no proof on a TLS 1.2 connection without the extended master secret',
    across: TLS12,
    cause: WITHOUT_EXTENDED_MASTER_SECRET,
    async run(stage) {
      const control = await stage.control();
      if (!control.connection.facts.extendedMasterSecret) {
        stage.holds(
          false,
          'served although the target did not agree to the extended master secret that the client offered',
        );
        return;
      }
      await stage.refuses(refused(), [
        {
          what: 'the client does not offer the extended master secret',
          connect: { extendedMasterSecret: false },
        },
      ]);
      await judgeResumedWithout(stage, control);
    },
  },
  {
    id: 'RS-EKM-10',
    title: 'refuses TLS 1.2 renegotiation, or drops everything that was verified before it',
    across: { tls: ['TLSv1.2'] },
    needs: ['persistent-connection'],
    cause: FIRST_HANDSHAKE_KEPT,
    async run(stage) {
      for (const identity of [undefined, stage.mallory]) {
        const [cached, uncached] = [await stage.mint(), await stage.mint()];
        const connection = await stage.connectLowLevel();
        const control = await stage.control(
          'the right request before renegotiation',
          { token: cached },
          { on: connection },
        );
        const uncachedProof = stage.proof(connection, uncached);
        const refusal = await connection.renegotiate(identity, stage.setting.patienceMs);
        if (refusal !== undefined) {
          stage.note(`the target refuses renegotiation: ${refusal.detail}`);
          continue;
        }
        const who =
          identity === undefined ? 'after renegotiation' : 'after renegotiation with another certificate';
        await refusesOld(
          stage,
          `${who}, the old proof of a token not presented before`,
          { token: uncached, proof: uncachedProof },
          control,
        );
        await refusesOld(
          stage,
          `${who}, the old proof of a token whose binding was verified before`,
          { token: cached, proof: control.proofs[0] ?? '' },
          control,
        );
      }
    },
  },
  {
    id: 'RS-EKM-11',
    title: 'serves no request on the strength of early data or of the early exporter',
    across: { tls: ['TLSv1.3'] },
    cause: EARLY_DATA_SERVED,
    async run(stage) {
      const first = await stage.connect();
      const control = await stage.control('the right request', {}, { on: first });
      const session = await first.session(200);
      if (session === undefined || readSslSession(session).maxEarlyData === 0) {
        stage.note(
          session === undefined
            ? 'the target gives out no session ticket, so it takes no early data'
            : "the target's session tickets allow no early data",
        );
        return;
      }
      const token = await stage.mint();
      let early = '';
      const connection = await stage.connectLowLevel({
        session,
        earlyRequest: (earlyExporter) => {
          early = earlyExporter().toString('base64url');
          return bearing(stage, token, stage.proof(first, token, { claims: { ekm: early } }));
        },
      });
      stage.note(`early data: ${connection.earlyData}`);
      if (early === '') return;
      if (connection.earlyResponse !== undefined) {
        const answer = read(await connection.earlyResponse);
        stage.note(`the request in early data was answered ${answer.text}`);
        if (answer.kind === 'no-answer')
          return stage.inconclusive(
            `no answer to a request in early data that can be judged: ${answer.text}`,
            'target',
          );
        stage.holds(
          answer.kind !== 'served',
          `a request in early data, with a proof over the early exporter: served (${answer.text}), must be refused or put off`,
        );
      }
      if (!connection.open) return;
      await stage.refusesOne(
        refused('invalid_proof'),
        {
          what: 'after the handshake, a proof over the early exporter',
          on: connection,
          change: { proof: { claims: { ekm: early } } },
          differs: ['proof.claims.ekm', ...(connection.facts.resumed ? ['connection.resumed'] : [])],
        },
        control,
      );
    },
  },
  {
    id: 'RS-EKM-14',
    title: 'accepts no session-bound token on TLS 1.0 or 1.1',
    cause:
      'A listener for old clients shares the check of tokens. TLS below 1.2 must not be spoken at all (RFC 8996).',
    async run(stage) {
      const control = await stage.control();
      for (const tls of ['TLSv1', 'TLSv1.1'] as const) {
        const connection = await stage.tryConnect({ tls });
        if ('kind' in connection) {
          if (/no protocols|no ciphers/i.test(connection.detail))
            stage.inconclusive(`the TLS library here does not speak ${tls}: ${connection.detail}`);
          stage.note(`${tls} is refused: ${connection.detail}`);
          continue;
        }
        const { open, facts } = connection;
        const differs = [
          'connection.tls',
          ...(facts.extendedMasterSecret ? [] : ['connection.extendedMasterSecret']),
        ];
        if (!open) continue;
        await stage.refusesOne(
          refused(),
          { what: `the right request on ${tls}`, on: connection, differs },
          control,
        );
        if (connection.open)
          await stage.refusesOne(
            refused(),
            {
              what: `the right request on ${tls}, exporter value without context`,
              on: connection,
              change: { proof: { ekm: withoutContext } },
              differs: [...differs, 'proof.claims.ekm'],
            },
            control,
          );
      }
      await stage.control('the right request again');
    },
  },
  {
    id: 'RS-TLS-1',
    title:
      'serves valid requests on each TLS and HTTP version that it claims, and speaks no other TLS version',
    judgesControl: true,
    async run(stage) {
      await servesWhatItClaims(stage);
      for (const tls of AXES.tls) {
        if (stage.setting.target.capabilities.has(tls === 'TLSv1.2' ? 'tls1.2' : 'tls1.3')) continue;
        const connection = await stage.tryConnect({ tls });
        if (!('kind' in connection))
          stage.observe(`${tls} is spoken without being claimed, so nothing was tested on it`);
      }
    },
  },
]);

/** Judges proofs across updates of a connection's keys. */
async function keepsBindings(stage: Stage, connection: OpenSslConnection, updates: boolean): Promise<void> {
  const [token, later] = [await stage.mint(), await stage.mint()];
  const [proof, laterProof] = [stage.proof(connection, token), stage.proof(connection, later)];
  const on = connection;
  await stage.control('the right request', { token, proof }, { on });
  for (const [what, requestPeer] of [
    ["the client's keys", false],
    ["both sides' keys", true],
    ["both sides' keys once more", true],
  ] as const) {
    if (updates) connection.keyUpdate(requestPeer);
    const when = updates ? `after an update of ${what}` : 'again, no keys updated';
    await stage.accepts(`the same proof ${when}`, { token, proof }, { on });
  }
  await stage.accepts(
    `a proof for another token, made before ${updates ? 'the key updates' : 'these requests'}`,
    { token: later, proof: laterProof },
    { on },
  );
}

function withoutContext(connection: Connection): string {
  return connection.exporter({ context: null }).toString('base64url');
}

/** A session that was made without the extended master secret is no better when it is resumed (RFC 7627 §5.3). */
async function judgeResumedWithout(stage: Stage, control: Exchange): Promise<void> {
  const first = await stage.tryConnect({ extendedMasterSecret: false });
  if ('kind' in first) return;
  await stage.send('a request on a connection without the extended master secret', {}, { on: first });
  const second = await stage.resume(first, { extendedMasterSecret: false });
  if (second === undefined) return;
  await stage.refusesOne(
    refused(),
    {
      what: 'a session without the extended master secret is resumed',
      on: second,
      differs: ['connection.extendedMasterSecret', 'connection.resumed'],
    },
    control,
  );
}

/** Judges a proof from before a renegotiation; a connection that the target ends over it is a refusal too. */
async function refusesOld(
  stage: Stage,
  what: string,
  change: { readonly token: Token; readonly proof: string },
  control: Exchange,
): Promise<void> {
  if (!control.connection.open) return;
  await stage.refusesOne(
    refused('invalid_proof', 'invalid_token', 'denied'),
    { what, on: control.connection, change, differs: ['proof.claims.ekm'] },
    control,
  );
}

function bearing(stage: Stage, token: Token, proof: string): WireRequest {
  const { target } = stage.setting;
  return {
    method: 'GET',
    target: target.protectedPath,
    authority: target.port === 443 ? target.hostname : `${target.hostname}:${target.port}`,
    fields: [
      ['Authorization', `Bearer ${token.compact}`],
      ['Session-Binding-Proof', proof],
    ],
  };
}
