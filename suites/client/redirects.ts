import type { CounterpartServer } from '../../harness/counterpart/resource-server/contract.ts';
import { served, serveProven, status } from '../../harness/scenario/client/answers.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { AXES } from '../../harness/scenario/permutation.ts';

/** draft -06 §3.3.2: token and proof are for one server (RFC 9110 §15.4). */

const FOLLOWED =
  'Token or proof was sent to another origin because a response said so. Send them to the configured server only: leave redirections to the agent, or drop the Authorization field and the proof before following one to another scheme, host or port.';
const ALTERNATIVE =
  'Token or proof was sent to an alternative service that did not authenticate as the server. Ignore Alt-Svc, or verify the certificate of the alternative for the origin’s host first (RFC 7838 §2.1).';

/** What came to another origin: the texts of a request, and the names of its fields. */
interface Strayed {
  readonly where: string;
  readonly texts: readonly string[];
  readonly names: readonly string[];
}

function strayedTo(stranger: CounterpartServer): readonly Strayed[] {
  return stranger.requests.map(({ method, target, authority, fields, body }) => ({
    where: `${method} ${target.split('?')[0]} at ${authority}, another origin,`,
    texts: [target, ...fields.map(([, value]) => value), body.toString('latin1')],
    names: fields.map(([name]) => name),
  }));
}

/** Judges that another origin has seen neither a token nor a proof. */
function untold(stage: ClientStage, strayed: readonly Strayed[], tokens: readonly string[]): void {
  for (const { where, texts, names } of strayed) {
    const told = texts.some((text) => tokens.some((token) => text.includes(token)));
    stage.holds(!told, `${where} holds the token`);
    const proven = names.some((name) => name.toLowerCase() === 'session-binding-proof');
    stage.holds(!proven, `${where} holds a proof`);
  }
}

export const redirects = clientSuite('client-redirects', [
  {
    id: 'CL-FLD-3',
    title: 'sends token and proof to no other origin, whatever redirection it gets',
    across: { http: AXES.http },
    cause: FOLLOWED,
    async run(stage) {
      const { tls, http } = stage.permutation;
      await using stranger = await stage.setting.stranger();
      await stranger.begin({ tls, http }, () => served());
      await using canary = await stage.setting.canary();
      const first = await stage.control();
      const { authority } = first.arrival.request;
      const elsewhere = {
        'another port': `https://${stage.authorityOf(stranger)}/resource`,
        'another host': `https://127.0.0.1:${stranger.port}/resource`,
        'another port, named after what looks like this host': `https://${authority}@${stage.authorityOf(stranger)}/resource`,
        'another scheme': `${canary.httpUrl}/resource`,
        'another port, without a scheme': `//${stage.authorityOf(stranger)}/resource`,
      };
      const tokens: string[] = [];
      for (const [where, location] of Object.entries(elsewhere)) {
        for (const code of [301, 302, 303, 307, 308]) {
          stage.answerWith(() => status(code, [['Location', location]]));
          const journey = await stage.journey(
            `a request that is answered ${code} to ${where}`,
            {},
            'variant',
          );
          tokens.push(journey.token?.compact ?? '');
        }
      }
      const plain = canary.fields.map((fields) => ({
        where: 'a request to a plain HTTP server, another origin,',
        texts: fields.map(([, value]) => value),
        names: fields.map(([name]) => name),
      }));
      const strayed = [...strayedTo(stranger), ...plain];
      stage.note(`${strayed.length} redirections to another origin were followed`);
      untold(stage, strayed, tokens);
    },
  },
  {
    id: 'CL-FLD-3.alternative',
    title: 'sends token and proof to no alternative service that does not authenticate as the server',
    across: { http: AXES.http },
    cause: ALTERNATIVE,
    async run(stage) {
      const { tls, http } = stage.permutation;
      await using stranger = await stage.setting.stranger();
      // The certificate is trusted, but is for no host at all.
      await stranger.begin({ tls, http, identity: stage.setting.pki.mallory }, () => served());
      const protocol = http === 'h2' ? 'h2' : 'http%2F1.1';
      const fields = [['Alt-Svc', `${protocol}="${stage.authorityOf(stranger)}"; ma=60`]] as const;
      stage.answerWith(async (request) => {
        const answer = await serveProven(request);
        return answer.kind === 'response' ? { ...answer, fields: [...answer.fields, ...fields] } : answer;
      });
      const first = await stage.control([], 'a request whose response names an alternative service');
      await first.arrival.request.connection.end();
      const next = await stage.journey('a request on the next connection', {}, 'variant');
      untold(stage, strayedTo(stranger), [next.token?.compact ?? '']);
    },
  },
]);
