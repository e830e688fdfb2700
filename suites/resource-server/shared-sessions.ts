import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { ConnectPlan, RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';
import { another } from './primed.ts';
import { byEachMeans, NOT_RESUMED } from './resumption-means.ts';
import { answered } from './token-expiry.ts';

/** draft -06 §2.2, §6.1.1: two connections that stand at the same time and have one TLS session between them. */

const READ_FROM_SESSION =
  'The exporter value is read from the TLS session object, which connections that resume the session share, so that the newest handshake decides for all of them (JSSE keeps the random values of TLS 1.2 there). Export right after the handshake and keep the value with the connection; where a younger handshake can come in between, do not resume TLS 1.2 sessions.';

/** A value can be read with each request, or be kept from the first one on: that one may come after the resumption. */
const BEFORE = ['was served a request', 'was not used yet'] as const;

const ENDED = 'the target ends a connection after a refusal, so no right request came after the wrong one';

/** A token that no connection has verified yet. */
async function unverified(stage: Stage): Promise<RequestPlan> {
  return { token: await another(stage) };
}

/** Judged: a proof with the other connection's value is refused, and the right one is answered as before. */
async function judgeOwnValue(
  stage: Stage,
  names: { readonly own: string; readonly other: string },
  other: Connection,
  control: Exchange,
): Promise<void> {
  const { connection: on, served } = control;
  const what = `on the ${names.own} connection, a proof made for the ${names.other} one`;
  await stage.refusesOne(
    refused('invalid_proof'),
    { what, change: { proof: { forConnection: other } } },
    control,
    await unverified(stage),
    { on },
  );
  if (!on.open) return stage.note(ENDED);
  const right = `a right proof on the ${names.own} connection again`;
  const again = await stage.send(right, await unverified(stage), { on }, 'control', 'as before');
  if (again.reading.kind === 'cut') return stage.note(ENDED);
  answered(stage, again);
  const before = control.reading.text;
  stage.holds(again.served === served, `${right}: answered ${again.reading.text}, and before it ${before}`);
}

/**
 * Judged: two connections, of which the younger has resumed the older one's session, keep their own values.
 *
 * @returns `false` where the target does not resume
 */
async function judgeBoth(stage: Stage, plan: ConnectPlan, before: (typeof BEFORE)[number]): Promise<boolean> {
  const older = await stage.connect(plan);
  if (before === 'was served a request')
    await stage.control('the right request on the older connection', await unverified(stage), { on: older });
  const younger = await stage.resume(older, plan);
  if (younger === undefined) return false;
  const fresh = await stage.send(
    'a right proof on the younger connection, which has resumed the session of the older one',
    await unverified(stage),
    { on: younger },
    'control',
    'served or refused',
  );
  const own = await stage.accepts(
    `a right proof on the older connection, which ${before} when its session was resumed`,
    await unverified(stage),
    { on: older },
  );
  answered(stage, own);
  await judgeOwnValue(stage, { own: 'older', other: 'younger' }, younger, own);
  if (!younger.open) {
    stage.note('the target ends a resumed connection with its first answer, so it was judged no further');
    return true;
  }
  answered(stage, fresh);
  if (!fresh.served)
    stage.note(
      `right proofs are refused on resumed connections (${fresh.reading.text}), which the draft leaves open (AMB-04)`,
    );
  await judgeOwnValue(stage, { own: 'younger', other: 'older' }, older, fresh);
  return true;
}

/** @returns whether the target resumes this kind of session */
async function judgeKind(stage: Stage, plan: ConnectPlan): Promise<boolean> {
  const [used, unused] = BEFORE;
  if (!(await judgeBoth(stage, plan, used))) return false;
  if (!(await judgeBoth(stage, plan, unused)))
    stage.note(`the session of a connection that ${unused} was not to be had, or not resumed`);
  return true;
}

export const sharedSessions = suite('resource-server', 'shared-sessions', [
  {
    id: 'RS-EKM-7.older',
    title:
      'holds proofs on a connection against its own exporter value, also after a younger one has resumed its TLS 1.3 session',
    across: { tls: ['TLSv1.3'], http: AXES.http },
    needs: ['persistent-connection'],
    cause: { served: READ_FROM_SESSION, statement: READ_FROM_SESSION, rejected: READ_FROM_SESSION },
    async run(stage) {
      if (!(await judgeKind(stage, {}))) stage.notApplicable(NOT_RESUMED);
    },
  },
  {
    id: 'RS-EKM-8.older',
    title:
      'holds proofs on a connection against its own exporter value, also after a younger one has resumed its TLS 1.2 session',
    across: { tls: ['TLSv1.2'], http: AXES.http },
    needs: ['persistent-connection'],
    cause: { served: READ_FROM_SESSION, statement: READ_FROM_SESSION, rejected: READ_FROM_SESSION },
    async run(stage) {
      await byEachMeans(stage, (plan) => judgeKind(stage, plan));
    },
  },
]);
