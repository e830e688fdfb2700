import { AXES } from '../../harness/scenario/permutation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { judgeDetours } from './detours.ts';
import { hostNames, serverNames } from './host-names.ts';
import { spellings } from './path-spellings.ts';

/** draft -06 §2.4, §3.3.2 step 5: the proof is demanded whatever leads to the protected resource. */

const DISAGREE =
  'The filter that demands the proof and the router read the request differently. Read it once, and verify the proof around the handler, whatever led to it.';

export const bypasses = suite('resource-server', 'bypasses', [
  {
    id: 'RS-FLD-11',
    title: 'demands the proof under every spelling of the path that leads to the protected resource',
    across: { http: AXES.http },
    cause: DISAGREE,
    timeLimitMs: 60_000,
    async run(stage) {
      const { hostname, port, protectedPath: path } = stage.setting.target;
      await judgeDetours(stage, spellings({ path, hostname, port }, stage.permutation.http, stage.full));
    },
  },
  {
    id: 'RS-FLD-12',
    title: 'demands the proof whatever host name the request is addressed to',
    across: { http: AXES.http },
    cause: DISAGREE,
    async run(stage) {
      const { hostname, port } = stage.setting.target;
      await judgeDetours(stage, hostNames({ hostname, port }, stage.permutation.http, stage.full));
    },
  },
  {
    id: 'RS-FLD-12.server-name',
    title: 'demands the proof whatever server name the handshake asks for',
    across: { http: AXES.http },
    cause: DISAGREE,
    async run(stage) {
      const { hostname, port } = stage.setting.target;
      await judgeDetours(stage, serverNames({ hostname, port }, stage.full));
    },
  },
]);
