import { refused } from '../../harness/scenario/expectation.ts';
import { AXES, EVERY_TRANSPORT } from '../../harness/scenario/permutation.ts';
import type { ConnectPlan, RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { impostorOf } from '../../harness/wire/impostor.ts';
import { confirming, x5cOf } from './identities.ts';
import type { Naming } from './identities.ts';

/** draft -06 §3.3.2 step 5a: a client certificate, and possession of its key, on every connection that a token is served on. */

const NOT_REQUIRED =
  'The check of the certificate is skipped where there is none. A session-bound token needs a verified client certificate on its connection, whatever the proof says.';

const FROM_PROOF =
  'Where the connection has no client certificate, the one that the proof itself names is taken. It proves nothing of who sends it: refuse session-bound tokens on connections without a client certificate.';

const BYPASSED =
  'Whether certificate and binding are checked depends on the server name in the handshake or on the Host, under which the same resource is served. Check them for every name that leads to it.';

/** What changes in a request's description when it is sent without a client certificate, all else being alice's. */
const NO_CERTIFICATE = [
  'connection.certificate',
  'token.claims.cnf.x5t#S256',
  'proof.header.x5t#S256',
  'proof.signature',
];

function namedIn({ header, claims }: Naming): RequestPlan {
  return { proof: { ...(header && { header }), ...(claims && { claims }) } };
}

function namedMembers({ header, claims }: Naming): readonly string[] {
  return [
    ...Object.keys(header ?? {}).map((name) => `proof.header.${name}`),
    ...Object.keys(claims ?? {}).map((name) => `proof.claims.${name}`),
  ];
}

/** … and without a proof as well. */
const NEITHER = ['connection.certificate', 'token.claims.cnf.x5t#S256', 'proof'];

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
      if (stage.findings.length > 0) return;
      const control = await stage.control();
      for (const naming of [x5cOf(stage.alice), confirming('claims', stage.alice)])
        await stage.refusesOne(
          refused(),
          {
            what: `no client certificate, and a proof that alice's key has signed, with ${naming.what}`,
            connect: anonymous,
            change: namedIn(naming),
            differs: [...NO_CERTIFICATE, ...namedMembers(naming)],
            cause: FROM_PROOF,
          },
          control,
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
      const refusable: readonly (readonly [what: string, ConnectPlan, RequestPlan])[] = [
        ['no client certificate, a proof that alice’s key has signed', { identity: null }, byAlice],
        ['no client certificate, no proof', { identity: null }, { proof: null }],
        ['mallory’s certificate and proof', { identity: stage.mallory }, {}],
      ];
      const served: string[] = [];
      for (const [what, connect, plan] of refusable)
        if (!(await judgeDetours(stage, what, connect, plan, detours))) served.push(what);
      await stage.control('the right request again');
      if (served.length > 0)
        stage.inconclusive(
          `no detour is needed for ${served.join('; ')}: the straight way serves that already, see RS-MTLS-1 and RS-MTLS-4`,
          'target',
        );
    },
  },
  {
    id: 'RS-MTLS-12',
    title:
      'refuses a session-bound token until the client certificate is there, where the client offers to authenticate later',
    across: { tls: ['TLSv1.3'], http: ['http/1.1'] },
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
]);

/** Another way to the same resource. */
interface Detour {
  readonly what: string;
  readonly connect?: ConnectPlan;
  readonly change?: RequestPlan;
}

/**
 * Judges that what is refused on the straight way is refused on every detour too.
 *
 * @returns false where the straight way serves it, so that nothing is judged
 */
async function judgeDetours(
  stage: Stage,
  what: string,
  connect: ConnectPlan,
  plan: RequestPlan,
  detours: readonly Detour[],
): Promise<boolean> {
  const straight = await stage.tryConnect(connect);
  const control =
    'kind' in straight
      ? undefined
      : await stage.send(`${what}, on the straight way`, plan, { on: straight }, 'control', 'refused');
  if (control?.served === true) return false;
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
  return true;
}
