import type { Identity } from '../../certs/identity.ts';
import type { IssueRequest } from '../../certs/issue.ts';
import { serveProven, status } from '../../harness/scenario/client/answers.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientSetting } from '../../harness/scenario/client/client-setting.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { endAll, isProven, returns } from './upstream.ts';

/** draft -06 §2.4, §3.1 step 1, §3.3.2 steps 1 and 5c: both ends are who they say they are. */

const NO_CERTIFICATE =
  'The token goes out on a connection on which the client has not shown its certificate, so that whoever is at the other end can hold nothing against it. Send session-bound tokens on mutually authenticated TLS only.';

const TO_PLAIN_HTTP =
  'A redirection to http: is followed with token and proof, for anybody on the way to read. Hand redirections back, or follow them without the token and never to http:.';

const UNVERIFIED =
  'The server’s certificate is not verified, or not in full: chain, validity and host name (RFC 6750 §5.2, RFC 9525). Whoever answers gets the token. Leave verification on, with the host name of the request.';

const DAY_MS = 86_400_000;
const SERVER = { keyType: 'P-256', extendedKeyUsage: ['serverAuth'] } as const;

/** The names under which a client calls the suite's servers. */
function here({ upstreamName }: ClientSetting): Pick<IssueRequest, 'dns' | 'ip'> {
  return { dns: [upstreamName], ip: ['127.0.0.1', '::1'] };
}

/** Servers that a client must not trust. */
const IMPOSTORS: readonly (readonly [
  what: string,
  issue: (setting: ClientSetting) => Promise<Identity> | Identity,
])[] = [
  [
    'an authority that the client does not trust',
    (setting) =>
      setting.issue(setting.pki.stranger, { ...SERVER, name: 'server of a stranger', ...here(setting) }),
  ],
  [
    'another host name',
    (setting) =>
      setting.issue(setting.pki.trusted, { ...SERVER, name: 'another server', dns: ['other.tsbt.test'] }),
  ],
  [
    'a validity that is over',
    (setting) =>
      setting.issue(setting.pki.trusted, {
        ...SERVER,
        name: 'server of last month',
        ...here(setting),
        notBefore: new Date(Date.now() - 30 * DAY_MS),
        notAfter: new Date(Date.now() - DAY_MS),
      }),
  ],
  ['the name of another client of the same authority', ({ pki }) => pki.mallory],
];

/** A redirection with each of these keeps method and fields in one client or another. */
const REDIRECTIONS = [302, 307, 301, 303, 308];

export const mutualTls = clientSuite('client-mutual-tls', [
  {
    id: 'CL-CONN-1',
    title: 'proves tokens only on connections on which it has presented its certificate',
    across: { tls: AXES.tls, http: AXES.http },
    cause: NO_CERTIFICATE,
    async run(stage) {
      const { arrival: control } = await stage.control(
        [],
        'a request to a server that asks for a certificate',
      );
      const { clientChain, id } = control.request.connection;
      stage.holds(clientChain.length > 0, `on ${id}, where a certificate was asked for, none was presented`);
      await endAll(stage);
      stage.meet({ requestCertificate: false });
      const what = 'a request to a server that asks for no certificate';
      const { arrivals } = await stage.journey(what, {}, 'variant', 'no proof');
      for (const arrival of arrivals) {
        if (arrival.request.connection.clientChain.length > 0) continue;
        const proven = isProven(arrival);
        const came = proven ? 'a proof arrived' : 'no proof, but the token arrived';
        stage.pair(what, control, arrival, 'no proof', came, proven ? 'fail' : 'info');
        if (proven) stage.holds(false, `${what}: ${came} on a connection without client certificate`);
        else if (arrival.token !== null) stage.observe(`${what}: ${came}`);
      }
    },
  },
  {
    id: 'CL-CONN-1.plain',
    title: 'sends neither token nor proof to a plain HTTP server that it is redirected to',
    cause: TO_PLAIN_HTTP,
    async run(stage) {
      const token = stage.mint();
      await stage.control([], 'a request that is served', { token });
      await using canary = await stage.setting.canary();
      for (const code of REDIRECTIONS.slice(0, stage.full ? undefined : 2)) {
        stage.answerWith(async (request) => {
          const usual = await serveProven(request);
          const redirected = usual.kind === 'response' && usual.status === 200;
          return redirected ? status(code, [['Location', `${canary.httpUrl}/elsewhere`]]) : usual;
        });
        await stage.journey(`a request that is redirected to http: with ${code}`, { token });
      }
      for (const [name, value] of canary.fields.flat()) {
        const secret = value.includes(token.compact)
          ? 'the token'
          : /^session-binding-proof$/i.test(name)
            ? 'a proof'
            : undefined;
        stage.holds(
          secret === undefined,
          `${secret ?? ''} was sent to a plain HTTP server, in the field ${name}`,
        );
      }
      if (canary.fields.length > 0) stage.note('the client follows redirections to http:');
    },
  },
  {
    id: 'CL-CONN-2',
    title: 'sends neither token nor proof to a server whose certificate it cannot trust',
    across: { tls: AXES.tls, http: AXES.http },
    cause: UNVERIFIED,
    async run(stage) {
      const { arrival: control } = await stage.control([], 'a request to the right server');
      for (const [what, issue] of IMPOSTORS) {
        const identity = await issue(stage.setting);
        stage.know(identity);
        await endAll(stage);
        stage.meet({ identity });
        const { arrivals } = await stage.journey(`a request, and the server’s certificate has ${what}`);
        for (const arrival of arrivals) {
          if (arrival.token === null && !isProven(arrival)) continue;
          const came = isProven(arrival) ? 'token and proof arrived' : 'the token arrived';
          stage.pair(`a certificate with ${what}`, control, arrival, 'nothing', came, 'fail');
          stage.holds(false, `the server’s certificate had ${what}: ${came}`);
        }
      }
      await endAll(stage);
      stage.meet({});
      await returns(stage, [], control, 'a request to the right server again');
    },
  },
  {
    id: 'CL-CONN-4',
    title: 'presents the certificate that its tokens are bound to',
    across: { tls: AXES.tls, key: AXES.key },
    cause:
      'The client presents another certificate to the resource server than the one that its tokens were issued for (cnf.x5t#S256), so that every token is refused. Configure one identity for both, or keep each token with its identity.',
    async run(stage) {
      const { arrival: control } = await stage.control([], 'a request');
      await endAll(stage);
      await returns(stage, [], control, 'a request on another connection');
      const own = stage.identity.certificate.trim();
      const [other] = stage.counterpart.requests
        .filter(({ fields }) => fields.some(([name]) => name.toLowerCase() === 'authorization'))
        .flatMap(({ connection }) => connection.clientChain.slice(0, 1))
        .filter((leaf) => leaf.toString().trim() !== own);
      stage.holds(
        other === undefined,
        `the certificate of ${other?.subject.replaceAll('\n', ', ')} (serial number ${other?.serialNumber}) was presented, and the token is bound to that of ${stage.identity.name}`,
      );
    },
  },
]);
