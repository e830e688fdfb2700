import type { AgentPlan } from '../../harness/scenario/client/client-play.ts';
import { outcomeText } from '../../harness/scenario/client/client-play.ts';
import { proofsOf } from '../../harness/scenario/client/arrival.ts';
import { served } from '../../harness/scenario/client/answers.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';

/** draft -06 Appendix B.1, B.4: whom a sidecar serves, and whom it calls. */

const OPEN =
  'The plain side listens on every address, so that whoever reaches the machine can have tokens proven. Bind it to 127.0.0.1 or ::1, or to a Unix socket.';
const ANYWHERE =
  'Requests go wherever the agent’s request target says. Send them to the configured server only, or keep a list of destinations.';

export const sidecarReach = clientSuite('client-sidecar-reach', [
  {
    id: 'CL-SC-9',
    title: 'listens for agents on loopback only',
    capabilities: ['sidecar'],
    cause: OPEN,
    async run(stage) {
      await stage.control();
      const { tried, accepting } = await stage.reachBeyondLoopback();
      stage.note(`tried to connect to ${tried.join(', ')}`);
      for (const address of accepting) stage.holds(false, `it accepts connections at ${address}`);
    },
  },
  {
    id: 'CL-SC-10',
    title: 'sends tokens and proofs to its own server only, whichever one the agent names',
    capabilities: ['sidecar'],
    cause: ANYWHERE,
    async run(stage) {
      await using stranger = await stage.setting.stranger();
      await stranger.begin({ tls: stage.permutation.tls, http: stage.permutation.http }, () => served());
      const { token } = await stage.control();
      const other = stage.authorityOf(stranger);
      const namings: readonly (readonly [what: string, plan: AgentPlan])[] = [
        ['as a forward proxy gets it, for another https server', { path: `https://${other}/resource` }],
        ['as a forward proxy gets it, for another http server', { path: `http://${other}/resource` }],
        ['with another server in Host', { fields: [['Host', other]] }],
        ['for a tunnel to another server', { method: 'CONNECT', path: other }],
      ];
      for (const [how, plan] of namings) {
        const what = `a request ${how}`;
        const before = stranger.requests.length;
        const sent = { ...plan, token, once: true };
        const { outcome } = await stage.journey(what, sent, 'variant', 'nothing for the other server');
        const carried = stranger.requests
          .slice(before)
          .filter(({ fields }) => fields.some(([, value]) => value.includes(token?.compact ?? '')));
        const proven = carried.some((request) => proofsOf(request).length > 0);
        if (carried.length > 0)
          stage.observe(`${what} took the token${proven ? ' and a proof' : ''} to that server`);
        const tunnel = plan.method === 'CONNECT' && outcome.type === 'response' && outcome.status < 300;
        if (tunnel) stage.observe(`${what} was answered ${outcomeText(outcome)}`);
      }
    },
  },
]);
