import type { Identity } from '../../certs/identity.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { another, prime } from './primed.ts';

/** draft -06 §2.4, §3.3.2 step 5c, Appendix C.2: a client whose certificate is replaced while it works. */

const KEY_NOT_CERTIFICATE =
  'A token is taken for any certificate of the client: the thumbprint is over the key, or subjects are compared instead. Compare cnf.x5t#S256 with the SHA-256 of the whole certificate of this connection (AMB-40).';
const NEWEST_ONLY =
  'Bindings are keyed by the client’s newest certificate, so that connections made with the earlier one break. A binding belongs to its connection, with the certificate of that connection’s handshake.';

/** The client's new certificate: with a new key, or for the same one. */
async function renewed(stage: Stage, sameKey: boolean): Promise<Identity> {
  const { alice, permutation, setting } = stage;
  return setting.issue(setting.pki.trusted, {
    name: alice.name,
    keyType: permutation.key,
    ...(sameKey && { key: alice.privateKey }),
  });
}

export const certificateRotation = suite('resource-server', 'certificate-rotation', [
  {
    id: 'CL-SVID-3',
    title:
      'refuses a token of the time before a certificate rotation on connections with the new certificate',
    cause: KEY_NOT_CERTIFICATE,
    async run(stage) {
      await another(stage);
      await stage.control('the client before the rotation');
      for (const sameKey of [false, true]) {
        const identity = await renewed(stage, sameKey);
        const key = sameKey ? 'the same key' : 'a new key';
        await stage.refuses(
          refused('invalid_token', 'invalid_proof'),
          [
            {
              what: `the earlier token with a fresh proof, under a new certificate for ${key}`,
              change: { token: { boundTo: stage.alice } },
            },
          ],
          { token: { boundTo: identity } },
          { connect: { identity } },
        );
      }
    },
  },
  {
    id: 'CL-SVID-4',
    title: 'goes on serving bindings of connections that were made before the client’s certificate rotation',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: NEWEST_ONLY,
    async run(stage) {
      await another(stage);
      const { connection, token, proof } = await prime(stage);
      for (const sameKey of [false, true]) {
        const identity = await renewed(stage, sameKey);
        await stage.control(
          'the client with its new certificate',
          { token: { boundTo: identity } },
          { connect: { identity } },
        );
        await stage.accepts(
          'the earlier connection with its token and proof',
          { token, proof },
          { on: connection },
        );
        await stage.accepts('the earlier connection with a fresh proof', { token }, { on: connection });
      }
    },
  },
]);
