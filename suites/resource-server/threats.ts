import type { Identity } from '../../certs/identity.ts';
import { AXES, EVERY_TRANSPORT } from '../../harness/scenario/permutation.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Way } from '../../harness/scenario/play.ts';
import type { Field } from '../../harness/wire/connection.ts';
import { attempt, swarm, tell, victimOf } from './attack.ts';
import type { Try } from './attack.ts';
import { another } from './primed.ts';
import { openReopenable, reopen } from './revival.ts';

/** draft -06 §6.1.1 to §6.1.4: the threats T1 to T4, each played from the theft to its end. */

const REPLAYABLE =
  'What was captured on one connection works on another one: the exporter value is not compared, or a binding is found from other connections. Compare ekm with the value of the connection that carries the request.';
const NOT_THE_HOLDER =
  'The token’s thumbprint is not compared with the certificate of this connection’s handshake, or the proof’s key is not that certificate’s. Nothing that the request says of a certificate may stand in for it.';
const TOKEN_SUFFICES =
  'A session-bound token is served without the certificate or without the proof that it is bound to. Refuse whatever lacks either one.';

/** A certificate's DER in base64. */
function derOf({ certificate }: Identity): string {
  return certificate.replaceAll(/-----[A-Z ]+-----|\s/g, '');
}

/** Fields by which proxies tell of a client certificate (RFC 9440 and de-facto ones). */
function forwarded(identity: Identity): readonly Field[] {
  const escaped = encodeURIComponent(identity.certificate);
  return [
    ['Client-Cert', `:${derOf(identity)}:`],
    [
      'X-Forwarded-Client-Cert',
      `Hash=${Buffer.from(identity.thumbprint, 'base64url').toString('hex')};Cert="${escaped}"`,
    ],
    ['X-SSL-Client-Cert', escaped],
  ];
}

export const threats = suite('resource-server', 'threats', [
  {
    id: 'RS-T1',
    title: 'withstands T1: token and proof captured on one connection are worth nothing on any other one',
    across: EVERY_TRANSPORT,
    cause: REPLAYABLE,
    async run(stage) {
      const { capabilities } = stage.setting.target;
      const { http, tls } = stage.permutation;
      const waiting = await stage.connect();
      const victim = await victimOf(stage);
      const { loot, exchange } = victim;
      const attempts = [
        await attempt(stage, 'on a connection that was open before the victim’s', loot, { on: waiting }),
        await attempt(stage, 'on a new connection with the victim’s certificate', loot, {
          on: await stage.connect(),
        }),
        await attempt(
          stage,
          'the token alone',
          { ...victim.plan, proof: null },
          { on: await stage.connect() },
        ),
      ];
      const resumed = await stage.resume(exchange.connection);
      if (resumed !== undefined)
        attempts.push(
          await attempt(stage, 'on a connection that resumes the victim’s TLS session', loot, {
            on: resumed,
          }),
        );
      const [otherHttp, otherTls] = [
        http === 'h2' ? 'http/1.1' : 'h2',
        tls === 'TLSv1.2' ? 'TLSv1.3' : 'TLSv1.2',
      ] as const;
      if (capabilities.has(otherHttp))
        attempts.push(await attempt(stage, `over ${otherHttp}`, loot, { connect: { http: otherHttp } }));
      if (capabilities.has(otherTls === 'TLSv1.2' ? 'tls1.2' : 'tls1.3'))
        attempts.push(await attempt(stage, `over ${otherTls}`, loot, { connect: { tls: otherTls } }));
      const [many] = await Promise.all([
        swarm(stage, 'on new connections', loot),
        victim.goesOn('during the attack'),
      ]);
      attempts.push(many);
      const ended = await openReopenable(stage);
      const last = await stage.control('the victim on a further connection', victim.plan, { on: ended });
      ended.reset();
      await ended.close();
      const next = await reopen(stage, ended);
      if (next !== undefined)
        attempts.push(
          await attempt(
            stage,
            'from the address and port of a connection that has just ended',
            { ...loot, proof: last.proofs },
            { on: next },
          ),
        );
      await tell(
        stage,
        {
          attacker: 'Someone with access to the victim’s certificate and key',
          loot: 'An access token and the genuine proof sent with it',
          attempts,
        },
        victim,
      );
    },
  },
  {
    id: 'RS-T2',
    title: 'withstands T2: a client with a certificate of its own can use a stolen token in no way',
    across: { http: AXES.http },
    cause: NOT_THE_HOLDER,
    async run(stage) {
      const { mallory, alice, setting } = stage;
      const victim = await victimOf(stage);
      const own = await stage.send(
        'the attacker with a token of its own',
        { token: { boundTo: mallory, subject: 'mallory' } },
        { connect: { identity: mallory } },
      );
      stage.note(
        `the attacker with a token of its own is ${own.served ? 'served' : `not served: ${own.reading.text}`}`,
      );
      const tail = await setting.issue(setting.pki.trusted, {
        name: 'mallory',
        keyType: 'P-256',
        extraChain: alice.certificate,
      });
      const { plan, loot } = victim;
      const as = (what: string, change: RequestPlan, identity = mallory): Promise<Try> =>
        attempt(stage, what, { ...plan, ...change }, { connect: { identity } });
      const claiming = { header: { 'x5t#S256': alice.thumbprint } };
      const attempts = [
        await as('with the captured proof', loot),
        await as('with a proof of its own', {}),
        await as('with a proof of its own that names the victim’s certificate', { proof: claiming }),
        await as('with the same and the victim’s certificate in x5c', {
          proof: { header: { ...claiming.header, x5c: [derOf(alice)] } },
        }),
        await as('with a proof of its own and its own certificate in x5c', {
          proof: { header: { x5c: [derOf(mallory)] } },
        }),
        await as('with a proof of its own and the victim’s certificate in forwarding fields', {
          fields: forwarded(alice),
        }),
        await as('with the captured proof and the victim’s certificate in forwarding fields', {
          ...loot,
          fields: forwarded(alice),
        }),
        await as(
          'with a proof of its own and the victim’s certificate after its own in the handshake',
          {},
          tail,
        ),
        await as(
          'with a proof that names the victim’s certificate, and that after its own in the handshake',
          { proof: claiming },
          tail,
        ),
        await as('without a proof', { proof: null }),
      ];
      await tell(
        stage,
        {
          attacker: 'Another client with a valid certificate of its own',
          loot: 'An access token and the genuine proof sent with it',
          attempts,
        },
        victim,
      );
    },
  },
  {
    id: 'RS-T3',
    title: 'withstands T3: a token that an agent lets out, even with a proof, serves nobody else',
    across: { http: AXES.http },
    cause: TOKEN_SUFFICES,
    async run(stage) {
      const { mallory } = stage;
      const victim = await victimOf(stage);
      const { plan, loot } = victim;
      const anonymous: Way = { connect: { identity: null } };
      const registered: Way = { connect: { identity: mallory } };
      const attempts = [
        await attempt(
          stage,
          'the token from a host without a certificate',
          { ...plan, proof: null },
          anonymous,
        ),
        await attempt(
          stage,
          'the token from a host without a certificate, with a proof by a key of its own',
          { ...plan, proof: { by: mallory } },
          anonymous,
        ),
        await attempt(stage, 'the token and the proof from a host without a certificate', loot, anonymous),
        await attempt(
          stage,
          'the token from a host with a certificate of its own',
          { ...plan, proof: null },
          registered,
        ),
        await attempt(
          stage,
          'the token from a host with a certificate of its own, with a self-made proof',
          plan,
          registered,
        ),
        await attempt(
          stage,
          'the token and the proof from a host with a certificate of its own',
          loot,
          registered,
        ),
      ];
      await tell(
        stage,
        {
          attacker: 'Whoever the agent gave its token to, tricked by injected instructions',
          loot: 'The access token from the agent’s environment; then its proof too',
          attempts,
        },
        victim,
      );
    },
  },
  {
    id: 'RS-T4',
    title:
      'withstands T4: against stolen token and proof, the certificate and the exporter value protect each on its own',
    across: EVERY_TRANSPORT,
    cause: REPLAYABLE,
    async run(stage) {
      const { mallory, alice } = stage;
      const victim = await victimOf(stage);
      const { plan, loot } = victim;
      const fresh = await stage.connect();
      const cached = await stage.connect();
      await stage.control(
        'the victim with another token on a further connection',
        { token: await another(stage) },
        { on: cached },
      );
      const attempts = [
        await attempt(stage, 'with another certificate: both as they were captured', loot, {
          connect: { identity: mallory },
        }),
        await attempt(
          stage,
          'with another certificate: a proof for its own connection',
          { ...plan, proof: { by: mallory } },
          { connect: { identity: mallory } },
        ),
        await attempt(
          stage,
          'with another certificate: the same in the victim’s name',
          { ...plan, proof: { by: mallory, header: { 'x5t#S256': alice.thumbprint } } },
          { connect: { identity: mallory } },
        ),
        await attempt(stage, 'with the victim’s certificate and key: both as they were captured', loot, {
          on: fresh,
        }),
        await attempt(
          stage,
          'with the victim’s certificate and key, on a connection in use',
          loot,
          cached.open ? { on: cached } : {},
        ),
      ];
      await tell(
        stage,
        {
          attacker: 'Someone who reads the victim’s traffic after TLS has ended',
          loot: 'An access token and the genuine proof sent with it',
          attempts,
        },
        victim,
      );
    },
  },
]);
