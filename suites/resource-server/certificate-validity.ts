import type { Identity } from '../../certs/identity.ts';
import type { IssueRequest } from '../../certs/issue.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';
import { another } from './primed.ts';

/** draft -06 §3.3.2 step 5a: whether the client certificate is one to trust: by its chain, its dates and its purpose. */

const NOT_VALIDATED =
  'Any certificate is taken, or its dates and purpose are not looked at. Validate the chain for client authentication against the trust anchors, and refuse what does not verify.';

/** A certificate of the suite's authority for the key type under test. */
function issue(stage: Stage, request: Partial<IssueRequest> & Pick<IssueRequest, 'name'>): Promise<Identity> {
  const { setting, permutation } = stage;
  const { trusted, alice } = setting.pki;
  return setting.issue(trusted, {
    keyType: permutation.key,
    key: alice[permutation.key].privateKey,
    ...request,
  });
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

export const certificateValidity = suite('resource-server', 'certificate-validity', [
  {
    id: 'RS-MTLS-2',
    title:
      'refuses a client certificate that its trust anchors do not vouch for at this time and for this purpose',
    cause: NOT_VALIDATED,
    async run(stage) {
      await another(stage);
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
    id: 'RS-MTLS-13',
    title:
      'serves clients of every key type whose certificates lead to a trust anchor, with intermediate certificates too',
    across: { tls: AXES.tls, key: AXES.key },
    cause: {
      rejected:
        'If a new certificate without intermediates is accepted (RS-MTLS-5): only certificates that the trust anchor has issued itself are, or the end-entity certificate is not the one that is looked at. Build the chain from the certificates that the client sends, and let it be long enough: servers limit its depth by a setting of their own.',
    },
    async run(stage) {
      await another(stage);
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
    waits: true,
    async run(stage) {
      await another(stage);
      const { identity, open, before, notAfter } = await shortLived(stage);
      const plan = { token: { boundTo: identity } };
      // notAfter is a whole second, all of which the certificate is valid for (RFC 5280 §4.1.2.5).
      await stage.until(notAfter + 1050);
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

/** A connection with a certificate that expires soon, and a request that was served on it. */
async function shortLived(stage: Stage): Promise<{
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
