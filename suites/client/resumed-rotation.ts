import type { Arrival } from '../../harness/scenario/client/arrival.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { TransportPlan } from '../../harness/counterpart/resource-server/contract.ts';
import { FIT, LOOK_MS, LOOKS, presents, renewed } from './renewal.ts';
import { allSound, endAll } from './upstream.ts';

/** draft -06 §2.3.3, Appendix C.2.1; RFC 8446 §2.2: a TLS session stands for the certificate that it began with. */

const OUTLIVES =
  'A TLS session outlives the certificate that it began with: after the rotation it is resumed, so that the server sees the former certificate, and the proof is made with the new one. Keep sessions by certificate (or forget them at each rotation), and make proofs with the identity that the session began with.';
const STAYS =
  'After the rotation sessions of the former certificate are resumed, and the new certificate is never presented. Keep sessions by certificate, or forget them at each rotation.';

type Resumption = NonNullable<TransportPlan['resumption']>;

interface Rotation {
  /** What arrived on connections that were opened after the rotation. */
  readonly later: readonly Arrival[];
  /** Whether a later connection presents the new certificate. */
  readonly isShown: boolean;
}

/**
 * Has the certificate replaced between connections of which each could resume the session of the one before.
 *
 * @returns `undefined` where the client resumes none
 */
async function rotated(stage: ClientStage, resumption: Resumption): Promise<Rotation | undefined> {
  stage.meet({ resumption });
  await endAll(stage);
  await stage.control(FIT, `a request on a connection whose session can be resumed (${resumption})`);
  await endAll(stage);
  const { arrival } = await stage.control(FIT, 'a request on a connection that may resume it');
  if (!arrival.request.connection.facts.resumed) return undefined;
  const identity = await renewed(stage);
  await stage.rotate(identity);
  const known = stage.connections.length;
  const later = (): readonly Arrival[] =>
    stage.arrivals().filter(({ request }) => stage.connections.indexOf(request.connection) >= known);
  const isShown = (): boolean =>
    stage.connections.slice(known).some((connection) => presents(connection, identity));
  const isWrong = (): boolean =>
    later().some(({ defects }) => defects.some(({ aspect }) => FIT.some((fit) => fit === aspect)));
  for (let look = 0; look < LOOKS && !isShown() && !isWrong(); look++) {
    if (look > 0) await stage.elapse(LOOK_MS);
    await endAll(stage);
    await stage.journey('a request on a new connection after the rotation', { token: { boundTo: identity } });
  }
  await endAll(stage);
  await stage.journey('another, which may resume the session of that one', { token: { boundTo: identity } });
  return { later: later(), isShown: isShown() };
}

function kindsOf({ permutation, full }: ClientStage): readonly Resumption[] {
  return permutation.tls === 'TLSv1.2' && full ? ['tickets', 'session-ids'] : ['tickets'];
}

const ROTATION = ['certificate-rotation'];
const WITHOUT = 'the client resumes no TLS session, so that none can outlive the certificate';

export const resumedRotation = clientSuite('client-certificate-rotation', [
  {
    id: 'CL-SVID-2.resumption',
    title: 'makes no proof with the new key on a connection that resumes a session of the former certificate',
    across: { tls: AXES.tls, http: AXES.http },
    capabilities: ROTATION,
    ownInstance: true,
    cause: OUTLIVES,
    async run(stage) {
      for (const kind of kindsOf(stage)) {
        const rotation = await rotated(stage, kind);
        if (rotation === undefined) return stage.notApplicable(WITHOUT);
        allSound(stage, FIT, rotation.later, ({ request }) => request.connection.facts.resumed);
      }
    },
  },
  {
    id: 'CL-SVID-1.resumption',
    title:
      'presents the new certificate on new connections, also when it could resume a session of the former one',
    across: { tls: AXES.tls },
    capabilities: ROTATION,
    ownInstance: true,
    cause: STAYS,
    async run(stage) {
      for (const kind of kindsOf(stage)) {
        const rotation = await rotated(stage, kind);
        if (rotation === undefined) return stage.notApplicable(WITHOUT);
        stage.holds(
          rotation.isShown,
          `no connection presents the new certificate after the rotation (${kind})`,
        );
      }
    },
  },
]);
