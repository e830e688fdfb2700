import { AXES } from '../../harness/scenario/permutation.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Way } from '../../harness/scenario/play.ts';
import { attempt, tell, victimOf } from './attack.ts';
import type { Meaning } from './attack.ts';
import { NO_CERTIFICATE } from './attack-meanings.ts';

/** draft -06 §6.1.5, §3.3.2 step 5: what a member of a chain, or a malicious server, makes of the tokens it gets to see. */

const AUDIENCE: Meaning = {
  differs: ['token.claims.aud'],
  cause:
    'The audience of the token is not compared with this resource server. A token for another hop is of no use here.',
};
const HOLDER: Meaning = {
  differs: ['connection.certificate'],
  cause:
    'A token is accepted from another member of the chain than the one that it was issued to: its thumbprint is not compared with the certificate of this connection.',
};
const BOTH: Meaning = {
  differs: [...AUDIENCE.differs, ...HOLDER.differs],
  cause: `${AUDIENCE.cause} Nor is the certificate of this connection compared with the token’s thumbprint.`,
};
const FOREIGN_PROOF = [
  'connection.certificate',
  'proof.claims.ekm',
  'proof.signature',
  'proof.header.x5t#S256',
];
const RELAYED: Meaning = {
  differs: FOREIGN_PROOF,
  cause:
    'A proof made for another server’s connection is accepted. Compare ekm with the exporter value, and the token’s thumbprint with the certificate, of the connection that carries the request.',
};
const SYNCHRONISED: Meaning = {
  differs: ['connection.certificate'],
  cause:
    'Neither the certificate of this connection is compared with the token’s thumbprint, nor is the proof verified with its key.',
};
const WITHOUT_EXTENDED_MASTER_SECRET: Meaning = {
  differs: ['connection.extendedMasterSecret', 'connection.tls'],
  cause:
    'Exporter values are trusted on a TLS 1.2 connection without extended master secret, on which a relay can bring about equal ones (RFC 7627 §1). Require the extension, or TLS 1.3.',
};

export const intermediaries = suite('resource-server', 'threats', [
  {
    id: 'RS-T5',
    title:
      'withstands T5: in a chain of services, a token taken at one hop works neither at another one nor for another member',
    async run(stage) {
      const victim = await victimOf(stage);
      const { alice, setting } = stage;
      const [bob, carol] = await Promise.all(
        ['bob', 'carol'].map((name) => setting.issue(setting.pki.trusted, { name, keyType: 'P-256' })),
      );
      if (bob === undefined || carol === undefined) return;
      const hop = { claims: { aud: 'https://b.tsbt.test' } };
      const bobs = await stage.mint({ boundTo: bob, subject: 'bob' });
      await stage.control('B with its own token', { token: bobs }, { connect: { identity: bob } });
      const toB = await stage.mint(hop);
      const attempts = [
        await attempt(
          stage,
          'B presents the token that A used towards B',
          { token: toB },
          { connect: { identity: bob } },
          BOTH,
        ),
        await attempt(
          stage,
          'B relays that token and the proof of A',
          { token: toB, proof: victim.exchange.proofs },
          { connect: { identity: bob } },
          { ...BOTH, differs: [...AUDIENCE.differs, ...FOREIGN_PROOF, 'proof.claims.ath'] },
        ),
        await attempt(
          stage,
          'A presents the token for B here, with all else right',
          { token: toB },
          {},
          AUDIENCE,
        ),
        await attempt(
          stage,
          'B presents the token that A used here, with a proof of its own',
          victim.plan,
          {
            connect: { identity: bob },
          },
          HOLDER,
        ),
        await attempt(
          stage,
          'B relays the token and proof that A used here',
          victim.loot,
          {
            connect: { identity: bob },
          },
          RELAYED,
        ),
        await attempt(
          stage,
          'C presents the token of B',
          { token: bobs },
          { connect: { identity: carol } },
          HOLDER,
        ),
        await attempt(
          stage,
          'A presents the token of B on its own connection',
          { token: bobs },
          { on: await stage.connect({ identity: alice }) },
          HOLDER,
        ),
      ];
      await tell(
        stage,
        {
          attacker: 'A member of the chain A–B–C that was taken over',
          loot: 'The tokens and proofs that pass through it',
          attempts,
        },
        victim,
      );
    },
  },
  {
    id: 'RS-RELAY-1',
    title:
      'refuses what a malicious server relays: a proof that a client made for its connection to that one',
    across: { http: AXES.http },
    async run(stage) {
      const { mallory, alice, setting } = stage;
      const victim = await victimOf(stage);
      // Stands for the client's connection to the malicious server: the target sees only the proof made for it.
      const toEvil = await stage.connect();
      const relayed: RequestPlan = { ...victim.plan, proof: { by: alice, forConnection: toEvil } };
      // As if the relay had brought about equal exporter values: the client signs what is right on the relay's connection.
      const synchronised: RequestPlan = { ...victim.plan, proof: { by: alice } };
      const attempts = [
        await attempt(
          stage,
          'forwarded on a connection with the certificate of the malicious server',
          relayed,
          { connect: { identity: mallory } },
          RELAYED,
        ),
        await attempt(
          stage,
          'forwarded on a connection without a client certificate',
          relayed,
          {
            connect: { identity: null },
          },
          NO_CERTIFICATE,
        ),
        await attempt(
          stage,
          'with equal exporter values and the certificate of the malicious server',
          synchronised,
          { connect: { identity: mallory } },
          SYNCHRONISED,
        ),
        await attempt(
          stage,
          'with equal exporter values and no client certificate',
          synchronised,
          {
            connect: { identity: null },
          },
          NO_CERTIFICATE,
        ),
      ];
      if (setting.target.capabilities.has('tls1.2')) {
        const weak: Way = { connect: { tls: 'TLSv1.2', extendedMasterSecret: false } };
        attempts.push(
          await attempt(
            stage,
            'with equal exporter values, on a TLS 1.2 connection without extended master secret whose client authentication is relayed too',
            victim.plan,
            weak,
            WITHOUT_EXTENDED_MASTER_SECRET,
          ),
        );
      }
      await tell(
        stage,
        {
          attacker: 'A resource server that the client talks to',
          loot: 'A token for the target, and proofs made for the connection to the attacker',
          attempts,
        },
        victim,
      );
    },
  },
]);
