import { refused } from '../../harness/scenario/expectation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { bodyOf, ELSEWHERE, isProtected, tellingWords } from './protected-content.ts';
import { survivesOne } from './survival.ts';

/** RFC 9112 §3.2.2: request targets in absolute form, which every server must take. */

const PATH_ONLY =
  'The request target is taken for a path. In absolute form it passes the check of the proof, or is an error that nothing catches. Take it apart as RFC 9112 §3.2 says, once and before everything else, and answer 400 where that fails.';

export const requestTargets = suite('resource-server', 'request-targets', [
  {
    id: 'RS-FLD-8.absolute-form',
    title:
      'demands the proof for a request target in absolute form, and answers one that is no URI in an orderly way',
    across: { http: ['http/1.1'] },
    cause: PATH_ONLY,
    async run(stage) {
      const { hostname, port, protectedPath } = stage.setting.target;
      const authority = port === 443 ? hostname : `${hostname}:${port}`;
      const path = `https://${authority}${protectedPath}`;
      const control = await stage.control();
      const may = ['served', 'cut'] as const;
      if (!(await survivesOne(stage, 'the right request in absolute form', { path }, ['served'], PATH_ONLY)))
        return;
      const right = await stage.send('the right request in absolute form again', { path }, {}, 'control');
      if (!right.served)
        stage.note(`a request target in absolute form is answered ${right.reading.text} (RFC 9112 §3.2.2)`);
      const anybody = { token: null, proof: null };
      const anonymous = await stage.send('absolute form, without a token', { path, ...anybody });
      const elsewhere = await stage.send('another page, without a token', { path: ELSEWHERE, ...anybody });
      const telling = tellingWords([bodyOf(control)], [bodyOf(elsewhere)]);
      if (anonymous.served && !isProtected(bodyOf(anonymous), telling, control.token?.subject ?? ''))
        stage.note('a request target in absolute form gets a page for everybody');
      else {
        await stage.refusesOne(
          refused('use_session_binding'),
          { what: 'absolute form, without a proof', change: { proof: null } },
          right,
          { path },
        );
      }
      for (const target of [
        `http://[a${protectedPath}`,
        `https://[${protectedPath}`,
        `https://${hostname}:99999999${protectedPath}`,
        `https://%${protectedPath}`,
        `https://${protectedPath}`,
        'https://[',
      ]) {
        const what = `the request target ${target}`;
        if (!(await survivesOne(stage, what, { path: target }, may, PATH_ONLY))) return;
      }
    },
  },
]);
