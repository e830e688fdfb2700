import type { Identity } from '../../certs/identity.ts';
import { AXES, EVERY_TRANSPORT } from '../../harness/scenario/permutation.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Way } from '../../harness/scenario/play.ts';
import type { Connection, Field } from '../../harness/wire/connection.ts';
import { attempt, swarm, tell, victimOf } from './attack.ts';
import type { Meaning, Try } from './attack.ts';
import {
  AMONG_THE_CHAIN,
  CAPTURED,
  FORWARDED,
  IN_HIS_NAME,
  IN_THE_HEADER,
  NEITHER,
  NO_CERTIFICATE,
  NO_PROOF,
  OWN_PROOF,
  REOPENED,
  REPLAYED,
  RESUMED,
} from './attack-meanings.ts';
import { another } from './primed.ts';
import { openReopenable, reopen } from './revival.ts';

/** draft -06 §6.1.1 to §6.1.4: the threats T1 to T4, each played from the theft to its end. */

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
    async run(stage) {
      const { capabilities } = stage.setting.target;
      const { http, tls } = stage.permutation;
      const waiting = await stage.connect();
      const victim = await victimOf(stage);
      const { loot, exchange } = victim;
      const used = [waiting];
      const further = async (): Promise<Connection> => {
        const connection = await stage.connect();
        used.push(connection);
        return connection;
      };
      const attempts = [
        await attempt(
          stage,
          'on a connection that was open before the victim’s',
          loot,
          { on: waiting },
          REPLAYED,
        ),
        await attempt(
          stage,
          'on a new connection with the victim’s certificate',
          loot,
          { on: await further() },
          REPLAYED,
        ),
        await attempt(
          stage,
          'the token alone',
          { ...victim.plan, proof: null },
          { on: await further() },
          NO_PROOF,
        ),
      ];
      // A target may limit how many are open at once.
      await Promise.all(used.map((connection) => connection.close()));
      const resumed = await stage.resume(exchange.connection);
      if (resumed !== undefined)
        attempts.push(
          await attempt(
            stage,
            'on a connection that resumes the victim’s TLS session',
            loot,
            { on: resumed },
            RESUMED,
          ),
        );
      const [otherHttp, otherTls] = [
        http === 'h2' ? 'http/1.1' : 'h2',
        tls === 'TLSv1.2' ? 'TLSv1.3' : 'TLSv1.2',
      ] as const;
      if (capabilities.has(otherHttp))
        attempts.push(
          await attempt(stage, `over ${otherHttp}`, loot, { connect: { http: otherHttp } }, REPLAYED),
        );
      if (capabilities.has(otherTls === 'TLSv1.2' ? 'tls1.2' : 'tls1.3'))
        attempts.push(
          await attempt(stage, `over ${otherTls}`, loot, { connect: { tls: otherTls } }, REPLAYED),
        );
      const [many] = await Promise.all([
        swarm(stage, 'on new connections', loot, REPLAYED),
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
            REOPENED,
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
      const as = (what: string, change: RequestPlan, meaning: Meaning, identity = mallory): Promise<Try> =>
        attempt(stage, what, { ...plan, ...change }, { connect: { identity } }, meaning);
      const claiming = { header: { 'x5t#S256': alice.thumbprint } };
      const attempts = [
        await as('with the captured proof', loot, CAPTURED),
        await as('with a proof of its own', {}, OWN_PROOF),
        await as(
          'with a proof of its own that names the victim’s certificate',
          { proof: claiming },
          IN_HIS_NAME,
        ),
        await as(
          'with the same and the victim’s certificate in x5c',
          {
            proof: { header: { ...claiming.header, x5c: [derOf(alice)] } },
          },
          IN_THE_HEADER,
        ),
        await as(
          'with a proof of its own and its own certificate in x5c',
          {
            proof: { header: { x5c: [derOf(mallory)] } },
          },
          OWN_PROOF,
        ),
        await as(
          'with a proof of its own and the victim’s certificate in forwarding fields',
          {
            fields: forwarded(alice),
          },
          FORWARDED,
        ),
        await as(
          'with the captured proof and the victim’s certificate in forwarding fields',
          {
            ...loot,
            fields: forwarded(alice),
          },
          CAPTURED,
        ),
        await as(
          'with a proof of its own and the victim’s certificate after its own in the handshake',
          {},
          AMONG_THE_CHAIN,
          tail,
        ),
        await as(
          'with a proof that names the victim’s certificate, and that after its own in the handshake',
          { proof: claiming },
          AMONG_THE_CHAIN,
          tail,
        ),
        await as('without a proof', { proof: null }, NEITHER),
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
          { ...NO_CERTIFICATE, differs: NEITHER.differs },
        ),
        await attempt(
          stage,
          'the token from a host without a certificate, with a proof by a key of its own',
          { ...plan, proof: { by: mallory } },
          anonymous,
          NO_CERTIFICATE,
        ),
        await attempt(
          stage,
          'the token and the proof from a host without a certificate',
          loot,
          anonymous,
          CAPTURED,
        ),
        await attempt(
          stage,
          'the token from a host with a certificate of its own',
          { ...plan, proof: null },
          registered,
          NEITHER,
        ),
        await attempt(
          stage,
          'the token from a host with a certificate of its own, with a self-made proof',
          plan,
          registered,
          OWN_PROOF,
        ),
        await attempt(
          stage,
          'the token and the proof from a host with a certificate of its own',
          loot,
          registered,
          CAPTURED,
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
        await attempt(
          stage,
          'with another certificate: both as they were captured',
          loot,
          { connect: { identity: mallory } },
          CAPTURED,
        ),
        await attempt(
          stage,
          'with another certificate: a proof for its own connection',
          { ...plan, proof: { by: mallory } },
          { connect: { identity: mallory } },
          OWN_PROOF,
        ),
        await attempt(
          stage,
          'with another certificate: the same in the victim’s name',
          { ...plan, proof: { by: mallory, header: { 'x5t#S256': alice.thumbprint } } },
          { connect: { identity: mallory } },
          IN_HIS_NAME,
        ),
        await attempt(
          stage,
          'with the victim’s certificate and key: both as they were captured',
          loot,
          { on: fresh },
          REPLAYED,
        ),
        await attempt(
          stage,
          'with the victim’s certificate and key, on a connection in use',
          loot,
          cached.open ? { on: cached } : {},
          REPLAYED,
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
