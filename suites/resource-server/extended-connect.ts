import { refused } from '../../harness/scenario/expectation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { CannotSend } from '../../harness/wire/connection.ts';

/** RFC 8441: extended CONNECT, by which WebSocket and other tunnels begin on HTTP/2. */

const TUNNEL =
  'CONNECT reaches its handler by another way than other methods, past the check of the proof. Verify token and proof before a tunnel is opened.';

export const extendedConnect = suite('resource-server', 'extended-connect', [
  {
    id: 'RS-FLD-8.extended-connect',
    title: 'opens no tunnel by extended CONNECT for a session-bound token without a proof',
    across: { http: ['h2'] },
    cause: TUNNEL,
    async run(stage) {
      const on = await stage.connect();
      // With its response, the target's SETTINGS are here.
      await stage.control('the valid request', {}, { on });
      for (const protocol of stage.full ? ['websocket', 'connect-udp', 'webtransport'] : ['websocket']) {
        const plan = { method: 'CONNECT', protocol };
        try {
          const valid = await stage.send(`CONNECT for ${protocol}, with a proof`, plan, { on }, 'control');
          for (const [what, change] of [
            ['without a proof', { proof: null }],
            ['without a token', { token: null, proof: null }],
          ] as const) {
            const variation = { what: `CONNECT for ${protocol}, ${what}`, change };
            await stage.refusesOne(refused('use_session_binding', '401'), variation, valid, plan, { on });
          }
        } catch (error) {
          if (error instanceof CannotSend) stage.notApplicable(error.message);
          throw error;
        }
      }
      await stage.control('the valid request again');
    },
  },
]);
