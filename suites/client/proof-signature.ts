import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { excludedRate } from '../../harness/scenario/client/every-proof.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { readableProof } from './readable-proof.ts';

/** draft -06 §2.3.3: the signature of the client's proofs, and their serialization (RFC 7515 §7.1). */

const OTHER_KEY =
  'The proof is not signed with the key of the certificate that was presented in this handshake, or not over what is sent. Sign header and payload, as they go out, with that very key.';
const OTHER_FORM =
  'The proof is not a JWS in compact serialization: three parts in base64url without padding; an ECDSA signature is R and S, each at full length (RFC 7515 §7.1, RFC 7518 §3.4).';

/** One ECDSA signature in 128 has an R or S that begins with a zero octet; with P-521 three in four have. */
const PROOFS = { core: 40, full: 100 } as const;
const PROOFS_BY_P521 = 16;

/** Sends requests with a token each until so many proofs have come, and judges the form of all that have come. */
async function wellFormed(stage: ClientStage, count: number): Promise<void> {
  const proofs = new Set<string>();
  for (let made = 0; made < count; made++) {
    const { arrivals } = await stage.journey('a request with a token of its own');
    for (const { proofs: values } of arrivals) for (const proof of values) proofs.add(proof);
    if (proofs.size === 0) break;
  }
  if (proofs.size === 0) await readableProof(stage);
  stage.note(`${proofs.size} proofs were looked at`);
  stage.measure('proofs whose form was looked at', proofs.size);
  stage.measure(
    'a malformed proof in so many would have shown with 99 % confidence',
    Math.floor(1 / excludedRate(proofs.size)),
  );
  stage.sound(['form']);
}

export const proofSignature = clientSuite('client-proof-signature', [
  {
    id: 'CL-SIG-1',
    title: 'signs its proof with the key of the certificate presented in this connection’s handshake',
    across: { key: AXES.key },
    cause: OTHER_KEY,
    async run(stage) {
      const { arrival } = await readableProof(stage);
      await arrival.request.connection.end();
      await readableProof(stage, {}, 'a request on the next connection');
      stage.sound(['signature']);
    },
  },
  {
    id: 'CL-SIG-2',
    title: 'writes every proof as a compact JWS without padding, ECDSA signatures at their full length',
    across: { key: AXES.key },
    timeLimitMs: 60_000,
    cause: OTHER_FORM,
    async run(stage) {
      await wellFormed(stage, PROOFS[stage.setting.profile]);
    },
  },
  {
    id: 'CL-SIG-2.every',
    title: 'writes each of the proofs that it sends during the whole run in the valid form',
    cause: OTHER_FORM,
    judgesEveryProof: true,
    async run(stage) {
      await stage.journey('a request with a session-bound token');
      if (stage.arrivals().every(({ proofs }) => proofs.length === 0)) await readableProof(stage);
      stage.sound(['form']);
    },
  },
  {
    id: 'CL-SIG-2.p521',
    title:
      'writes ECDSA signatures by P-521, most of which have leading zero octets, at their full length of 132 octets',
    across: { key: ['P-521'] },
    timeLimitMs: 60_000,
    cause: OTHER_FORM,
    async run(stage) {
      await wellFormed(stage, PROOFS_BY_P521);
    },
  },
]);
