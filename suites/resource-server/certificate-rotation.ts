import { randomUUID } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { another, prime } from './primed.ts';

/** draft -06 §2.4, §3.3.2 step 5c, Appendix C.2: a client whose certificate is replaced while it works. */

const KEY_NOT_CERTIFICATE =
  'A token is accepted under any certificate for the same key: the thumbprint is over the key. Compare cnf.x5t#S256 with the SHA-256 of the whole certificate of this connection (AMB-40).';
const NAME_NOT_CERTIFICATE =
  'A token is accepted under any certificate of the same client: names are compared, not certificates. Compare cnf.x5t#S256 with the SHA-256 of the whole certificate of this connection (AMB-40).';
const NEWEST_ONLY =
  'Bindings are keyed by the client’s newest certificate, so that connections made with the earlier one break. A binding belongs to its connection, with the certificate of that connection’s handshake.';

/** A workload's certificates: of the time before, and two that replace it, with a new key and for the same one. */
async function rotation(
  stage: Stage,
): Promise<{ readonly before: Identity; readonly after: readonly Identity[] }> {
  const { permutation, setting } = stage;
  // Nobody else has this SPIFFE ID, so that the rotation is of no concern to other connections of the run.
  const request = { name: 'workload', keyType: permutation.key, uri: [`spiffe://tsbt.test/${randomUUID()}`] };
  const issue = (key?: string): Promise<Identity> =>
    setting.issue(setting.pki.trusted, { ...request, ...(key !== undefined && { key }) });
  const before = await issue();
  return { before, after: [await issue(), await issue(before.privateKey)] };
}

export const certificateRotation = suite('resource-server', 'certificate-rotation', [
  {
    id: 'CL-SVID-3',
    title:
      'refuses a token of the time before a certificate rotation on connections with the new certificate',
    async run(stage) {
      await another(stage);
      const { before, after } = await rotation(stage);
      await stage.control(
        'the workload before the rotation',
        { token: { boundTo: before } },
        { connect: { identity: before } },
      );
      for (const [i, identity] of after.entries()) {
        const what = `the earlier token with a fresh proof, under a new certificate for ${i === 0 ? 'a new key' : 'the same key'}`;
        await stage.refuses(
          refused('invalid_token', 'invalid_proof'),
          [
            {
              what,
              change: { token: { boundTo: before } },
              cause: i === 0 ? NAME_NOT_CERTIFICATE : KEY_NOT_CERTIFICATE,
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
    cause: { rejected: NEWEST_ONLY },
    async run(stage) {
      await another(stage);
      const { before, after } = await rotation(stage);
      const { connection, token, proof } = await prime(stage, {
        connection: await stage.connect({ identity: before }),
        token: await stage.mint({ boundTo: before }),
      });
      for (const identity of after) {
        await stage.control(
          'the workload with its new certificate',
          { token: { boundTo: identity } },
          { connect: { identity } },
        );
        await stage.accepts(
          'the earlier connection with its token and proof',
          { token, proof },
          { on: connection },
        );
        await stage.accepts(
          'a further token on the earlier connection',
          { token: { boundTo: before } },
          { on: connection },
        );
      }
    },
  },
]);
