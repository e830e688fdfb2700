import type { Identity } from '../../certs/identity.ts';
import type { IssueRequest } from '../../certs/issue.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES, EVERY_TRANSPORT } from '../../harness/scenario/permutation.ts';
import type { ConnectPlan, RequestPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange, Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';
import { impostorOf } from '../../harness/wire/impostor.ts';

/** draft -06 §3.3.2 steps 5a and 5c, §2.4: the client certificate of the connection, and the token's thumbprint of it. */

const NOT_REQUIRED =
  'The check of the certificate is skipped where there is none. A session-bound token needs a verified client certificate on its connection, whatever the proof says.';

const NOT_VALIDATED =
  'Any certificate is taken, or its dates and purpose are not looked at. Validate the chain for client authentication against the trust anchors, and refuse what does not verify.';

const BYPASSED =
  'Whether a client certificate is demanded depends on the server name in the handshake, the request is routed by its Host. Demand it for every name that leads to the protected resource.';

/** What changes in a request's description when it is sent without a client certificate, all else being alice's. */
const NO_CERTIFICATE = [
  'connection.certificate',
  'token.claims.cnf.x5t#S256',
  'proof.header.x5t#S256',
  'proof.signature',
];

/** … and without a proof as well. */
const NEITHER = ['connection.certificate', 'token.claims.cnf.x5t#S256', 'proof'];

/** A certificate of the suite's authority for the key type under test. */
function issue(stage: Stage, request: Partial<IssueRequest> & Pick<IssueRequest, 'name'>): Promise<Identity> {
  const { setting, permutation, alice } = stage;
  return setting.issue(setting.pki.trusted, { keyType: permutation.key, key: alice.privateKey, ...request });
}

/** A client with this certificate, with a token and a proof of its own. */
function own(what: string, identity: Identity, cause: string): Variation {
  return {
    what,
    connect: { identity },
    change: { token: { boundTo: identity } },
    differs: ['connection.certificate'],
    cause,
  };
}

export const mutualTls = suite('resource-server', 'mutual-tls', [
  {
    id: 'RS-MTLS-1',
    title:
      'refuses a session-bound token on a connection without a client certificate, whatever the proof says',
    across: EVERY_TRANSPORT,
    cause: NOT_REQUIRED,
    async run(stage) {
      const anonymous = { identity: null };
      await stage.refuses(refused(), [
        {
          what: "no client certificate, and a proof that alice's key has signed",
          connect: anonymous,
          differs: NO_CERTIFICATE,
        },
        {
          what: 'no client certificate and no proof',
          connect: anonymous,
          change: { proof: null },
          differs: NEITHER,
        },
      ]);
    },
  },
  {
    id: 'RS-MTLS-2',
    title:
      'refuses a client certificate that its trust anchors do not vouch for at this time and for this purpose',
    cause: NOT_VALIDATED,
    async run(stage) {
      const { pki } = stage.setting;
      const [now, hour] = [Date.now(), 3_600_000];
      const good = await issue(stage, { name: 'a newly certified client' });
      const stranger = await stage.setting.issue(pki.stranger, {
        name: 'a client of an unknown authority',
        keyType: 'P-256',
      });
      const expired = await issue(stage, {
        name: 'a client whose certificate has expired',
        notBefore: new Date(now - 48 * hour),
        notAfter: new Date(now - 24 * hour),
      });
      const early = await issue(stage, {
        name: 'a client whose certificate is not valid yet',
        notBefore: new Date(now + 24 * hour),
        notAfter: new Date(now + 48 * hour),
      });
      const server = await issue(stage, {
        name: 'a certificate for servers only',
        extendedKeyUsage: ['serverAuth'],
      });
      await stage.refuses(
        refused(),
        [
          own(
            'a certificate of an authority that is not trusted',
            stranger,
            'The chain of the client certificate is not verified. Validate it against the trust anchors that are configured.',
          ),
          own(
            'a certificate that calls itself trusted',
            await stage.setting.selfSigned('tsbt CA'),
            'Self-signed certificates are taken. Validate the chain against the trust anchors that are configured.',
          ),
          own(
            'a certificate that has expired',
            expired,
            'The dates of the client certificate are not looked at.',
          ),
          own(
            'a certificate that is not valid yet',
            early,
            'The dates of the client certificate are not looked at.',
          ),
          own(
            'a certificate for server authentication only',
            server,
            'The extended key usage of the client certificate is not looked at. Demand clientAuth where the extension is there (RFC 5280 §4.2.1.12).',
          ),
        ],
        { token: { boundTo: good } },
        { connect: { identity: good } },
      );
    },
  },
  {
    id: 'RS-MTLS-3',
    title: "lets nobody in who presents a client's certificate without having its private key",
    across: EVERY_TRANSPORT,
    cause:
      "The TLS stack, or what offloads it, does not verify the client's CertificateVerify: certificates are public, and anybody can present one. Verify its signature and end the handshake (RFC 8446 §4.4.3).",
    async run(stage) {
      const control = await stage.control();
      const identity = impostorOf(stage.alice, stage.mallory);
      const tried = await stage.refusesOne(
        refused(),
        {
          what: "alice's certificate, with CertificateVerify signed by mallory's key",
          connect: { identity },
          change: { proof: { by: stage.alice } },
          differs: ['connection.certificate'],
        },
        control,
      );
      if ('outcome' in tried && !tried.served)
        stage.holds(
          tried.outcome.type !== 'response',
          `the handshake of the impostor was completed: the request was answered ${tried.reading.text}`,
        );
      await stage.control('the right request again');
    },
  },
  {
    id: 'RS-MTLS-10',
    title:
      'demands the client certificate under every server name and host name that lead to the protected resource',
    across: { http: AXES.http },
    cause: BYPASSED,
    async run(stage) {
      await stage.control();
      const elsewhere = 'unprotected.tsbt.test';
      const detours: readonly Detour[] = [
        {
          what: 'another server name in the handshake',
          connect: { servername: elsewhere, serverAuthorities: null },
        },
        { what: 'no server name in the handshake', connect: { servername: null, serverAuthorities: null } },
        { what: 'another host in the request', change: { authority: elsewhere } },
      ];
      const byAlice = { proof: { by: stage.alice } };
      await judgeDetours(
        stage,
        'no client certificate, a proof that alice’s key has signed',
        { identity: null },
        byAlice,
        detours,
      );
      await judgeDetours(
        stage,
        'no client certificate, no proof',
        { identity: null },
        { proof: null },
        detours,
      );
      await judgeDetours(stage, 'mallory’s certificate and proof', { identity: stage.mallory }, {}, detours);
      await stage.control('the right request again');
    },
  },
  {
    id: 'RS-MTLS-12',
    title:
      'refuses a session-bound token until the client certificate is there, where the client offers to authenticate later',
    across: { tls: ['TLSv1.3'] },
    cause:
      'A client that offers post-handshake authentication (RFC 8446 §4.2.6) is served before it has authenticated itself.',
    async run(stage) {
      const control = await stage.control();
      const connection = await stage.connectLowLevel({ identity: null, postHandshakeAuth: true });
      await stage.refusesOne(
        refused(),
        {
          what: "post-handshake authentication is offered, no certificate is sent, a proof that alice's key has signed",
          on: connection,
          change: { proof: { by: stage.alice } },
          differs: NO_CERTIFICATE,
        },
        control,
      );
    },
  },
  {
    id: 'RS-MTLS-13',
    title:
      'serves clients of every key type whose certificates lead to a trust anchor, with intermediate certificates too',
    across: { tls: AXES.tls, key: AXES.key },
    cause:
      'Only certificates that the trust anchor has issued itself are taken, or the end-entity certificate is not the one that is looked at. Build the chain from the certificates that the client sends.',
    async run(stage) {
      await stage.control();
      for (const intermediates of [1, 2] as const) {
        const identity = await issue(stage, { name: `alice, ${intermediates} intermediate`, intermediates });
        await stage.accepts(
          `a certificate with ${intermediates} intermediate between it and the trust anchor`,
          { token: { boundTo: identity } },
          { connect: { identity } },
        );
      }
    },
  },
  {
    id: 'RS-MTLS-14',
    title: 'takes no expired certificate on a new connection, though it was valid on one that is still open',
    cause: 'Dates of the client certificate are not looked at when it is presented in a handshake.',
    async run(stage) {
      const { identity, open, before, notAfter } = await shortLived(stage);
      const plan = { token: { boundTo: identity } };
      await stage.until(notAfter + 50);
      if (open.open) {
        const after = await stage.send('the same connection, after the certificate has expired', plan, {
          on: open,
        });
        if (after.served)
          stage.observe(
            'a connection goes on to be served after its client certificate has expired (AMB-56)',
          );
      }
      const resumed = await stage.resume(open, { identity });
      if (resumed !== undefined) {
        const after = await stage.send('its session resumed after the certificate has expired', plan, {
          on: resumed,
        });
        if (after.served)
          stage.observe('a session is resumed and served after its client certificate has expired (AMB-04)');
      }
      const again = await stage.tryConnect({ identity });
      if ('kind' in again)
        return stage.note(`a new connection with the expired certificate is refused: ${again.detail}`);
      // Dates are whole seconds, and some compare in whole seconds: by the next one everybody's clock says that it is over.
      if ((await stage.send('a new connection with the expired certificate', plan, { on: again })).served)
        await stage.until(notAfter + 1050);
      await stage.refusesOne(
        refused(),
        {
          what: 'a new connection with the expired certificate',
          connect: { identity },
          change: plan,
          differs: [],
        },
        before,
      );
    },
  },
]);

/** Another way to the same resource. */
interface Detour {
  readonly what: string;
  readonly connect?: ConnectPlan;
  readonly change?: RequestPlan;
}

/** Judges that what is refused on the straight way is refused on every detour too. */
async function judgeDetours(
  stage: Stage,
  what: string,
  connect: ConnectPlan,
  plan: RequestPlan,
  detours: readonly Detour[],
): Promise<void> {
  const straight = await stage.tryConnect(connect);
  const control =
    'kind' in straight
      ? undefined
      : await stage.send(`${what}, on the straight way`, plan, { on: straight }, 'control', 'refused');
  if (control?.served === true)
    return stage.note(`${what}: served on the straight way already, see RS-MTLS-1 and RS-MTLS-4`);
  for (const detour of detours) {
    const connection = await stage.tryConnect({ ...connect, ...detour.connect });
    if ('kind' in connection)
      stage.note(`${what}, ${detour.what}: refused in the handshake (${connection.detail})`);
    else if (control === undefined) {
      const { served, reading } = await stage.send(
        `${what}, ${detour.what}`,
        { ...plan, ...detour.change },
        { on: connection },
        'variant',
        'refused',
      );
      stage.holds(
        !served,
        `${what}, ${detour.what}: served (${reading.text}), though the straight way is refused in the handshake`,
      );
    } else {
      const differs = [
        ...(detour.connect === undefined ? [] : ['connection.servername']),
        ...(detour.change === undefined ? [] : ['request.authority']),
      ];
      await stage.refusesOne(
        refused(),
        {
          what: `${what}, ${detour.what}`,
          on: connection,
          ...(detour.change && { change: detour.change }),
          differs,
        },
        control,
        plan,
      );
    }
  }
}

/** A connection with a certificate that expires soon, and a request that was served on it. */
async function shortLived(
  stage: Stage,
): Promise<{
  readonly identity: Identity;
  readonly open: Connection;
  readonly before: Exchange;
  readonly notAfter: number;
}> {
  for (const margin of [500, 2500]) {
    const notAfter = Math.ceil((Date.now() + margin) / 1000) * 1000;
    const identity = await issue(stage, {
      name: 'a client whose certificate is about to expire',
      notAfter: new Date(notAfter),
    });
    const open = await stage.tryConnect({ identity });
    if ('kind' in open) continue;
    const before = await stage.send(
      'the right request while the certificate is valid',
      { token: { boundTo: identity } },
      { on: open },
      'control',
      'served',
    );
    if (before.served) return { identity, open, before, notAfter };
  }
  return stage.inconclusive(
    'a request with a certificate that is about to expire was not served while it was valid',
    'target',
  );
}
