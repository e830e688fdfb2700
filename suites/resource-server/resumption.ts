import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';
import { byEachMeans, NOT_RESUMED } from './resumption-means.ts';
import { answered } from './token-expiry.ts';

/** draft -06 §2.2, §6.1.1: connections that resume a TLS session (RFC 8446 §2.2, RFC 5246 §7.3, RFC 5077). */

const VALUE_KEPT =
  'The exporter value is kept with the TLS session and taken up again on resumption. Each connection has its own: export it anew after every handshake, abbreviated ones too.';

/** A connection of alice's that resumes the session of another, and what became of the right request on it. */
interface Resumed {
  readonly first: Connection;
  readonly second: Connection;
  /** A fresh proof on the second connection: served or refused, the draft allows both (AMB-04). */
  readonly fresh: Exchange;
}

async function resumed(
  stage: Stage,
  plan: { readonly sessionTickets?: boolean } = {},
): Promise<Resumed | undefined> {
  const first = await stage.connect(plan);
  await stage.control('the right request on the original connection', {}, { on: first });
  const second = await stage.resume(first, plan);
  if (second === undefined) return undefined;
  const fresh = await stage.send(
    'a fresh proof on the resumed connection',
    {},
    { on: second },
    'control',
    'served or refused',
  );
  return { first, second, fresh };
}

/** Judges that proofs of the original connection are of no use on the one that resumes its session. */
async function judgeOldProofs(stage: Stage, { first, second, fresh }: Resumed): Promise<void> {
  const base = { expectation: refused('invalid_proof'), way: { on: second } };
  await stage.refusesOne(
    base.expectation,
    {
      what: 'a proof made for the original connection, which is still open',
      change: { proof: { forConnection: first } },
    },
    fresh,
    {},
    base.way,
  );
  await first.close();
  if (!second.open)
    return stage.note(
      'the target ends a resumed connection after a refusal, so the second attempt was left out',
    );
  await stage.refusesOne(
    base.expectation,
    {
      what: 'a proof made for the original connection, now closed',
      change: { proof: { forConnection: first } },
    },
    fresh,
    {},
    base.way,
  );
  const ended = 'the target ends a resumed connection after refusals, so it was not tried once more';
  if (!second.open) return stage.note(ended);
  const again = await stage.send(
    'a fresh proof on the resumed connection again',
    {},
    { on: second },
    'control',
    'as before',
  );
  if (again.reading.kind === 'cut') return stage.note(ended);
  answered(stage, again);
  stage.holds(
    again.served === fresh.served,
    `fresh proofs on the resumed connection were answered ${fresh.reading.text}, then ${again.reading.text}`,
    'Decide alike for every request on a resumed connection.',
  );
  if (!fresh.served)
    stage.note(
      `fresh proofs are refused on resumed connections (${fresh.reading.text}), which the draft leaves open (AMB-04)`,
    );
}

export const resumption = suite('resource-server', 'resumption', [
  {
    id: 'RS-EKM-7',
    title:
      'refuses, on a TLS 1.3 connection resumed by PSK, a proof that was made for the original connection',
    across: { tls: ['TLSv1.3'], http: AXES.http },
    needs: ['persistent-connection'],
    cause: VALUE_KEPT,
    async run(stage) {
      const pair = await resumed(stage);
      if (pair === undefined) return stage.notApplicable(NOT_RESUMED);
      await judgeOldProofs(stage, pair);
    },
  },
  {
    id: 'RS-EKM-8',
    title:
      'refuses, on a TLS 1.2 connection resumed by ticket or session ID, a proof that was made for the original connection',
    across: { tls: ['TLSv1.2'], http: AXES.http },
    needs: ['persistent-connection'],
    cause: VALUE_KEPT,
    async run(stage) {
      await byEachMeans(stage, async (plan) => {
        const pair = await resumed(stage, plan);
        if (pair === undefined) return false;
        await judgeOldProofs(stage, pair);
        return true;
      });
    },
  },
  {
    id: 'RS-MTLS-11',
    title: 'holds tokens, on a resumed connection, against the certificate remembered with its session',
    across: { tls: AXES.tls, http: AXES.http },
    needs: ['persistent-connection'],
    cause:
      'On a resumed connection, which has no Certificate message, the certificate check is skipped. Take the certificate that is remembered with the session, or refuse where there is none.',
    async run(stage) {
      const { alice, mallory } = stage;
      const pair = await resumed(stage);
      if (pair === undefined) return stage.notApplicable(NOT_RESUMED);
      const { second, fresh } = pair;
      const expectation = refused('invalid_token', 'invalid_proof');
      await stage.refusesOne(
        expectation,
        {
          what: "a token bound to another certificate than the session's",
          change: { token: { boundTo: mallory } },
        },
        fresh,
        {},
        { on: second },
      );
      const others = await stage.connect({ identity: mallory });
      await stage.control(
        "mallory's own token on mallory's connection",
        { token: { boundTo: mallory } },
        { on: others },
      );
      const resumedByOther = await stage.resume(others, { identity: mallory });
      if (resumedByOther === undefined) return;
      await stage.refusesOne(
        expectation,
        {
          what: "alice's token on a resumed connection of mallory, with a proof signed by mallory",
          on: resumedByOther,
          change: { token: { boundTo: alice } },
          differs: ['connection.certificate', 'token.claims.cnf.x5t#S256'],
        },
        fresh,
      );
    },
  },
]);
