import type { KeyObject } from 'node:crypto';
import type { ClientParts } from '../client/parts.ts';
import type { Proofs } from '../client/proof-source.ts';
import { defaultClientParts } from '../client/parts.ts';
import { type Algorithm, algorithmsFor } from '../proof/algorithms.ts';
import type { ProofContent, ProofSigner } from '../proof/create.ts';
import { accessTokenHash, encodeBase64url, thumbprint } from '../proof/encoding.ts';
import { CLAIM, HEADER, PROOF_TYPE } from '../proof/vocabulary.ts';
import type { ClientVariant } from '../sidecar/target.ts';

/** A proof before it is signed. */
export interface Draft {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  algorithm: Pick<Algorithm, 'sign'>;
  key: KeyObject;
  /** How each of the three parts is written. */
  encode: (octets: Uint8Array | string) => string;
}

/** The reference client with these parts. */
export function withParts(parts: () => Partial<ClientParts>): ClientVariant {
  return { client: { parts: parts() } };
}

/** Makes a proof as the reference does, but for what `change` does to it. */
export function proofWith(
  signer: ProofSigner,
  content: ProofContent,
  change: (draft: Draft, signer: ProofSigner, content: ProofContent) => void,
): string {
  const [algorithm] = algorithmsFor(signer.key);
  if (algorithm === undefined) throw new TypeError('no proof can be signed with such a key');
  const { token, exporter, issuedAt, request } = content;
  const draft: Draft = {
    header: {
      [HEADER.type]: PROOF_TYPE,
      [HEADER.algorithm]: algorithm.name,
      [HEADER.certificate]: thumbprint(signer.certificate.raw),
    },
    claims: {
      [CLAIM.tokenHash]: accessTokenHash(token),
      [CLAIM.exporter]: encodeBase64url(exporter),
      [CLAIM.issuedAt]: issuedAt,
      ...(request && {
        [CLAIM.identifier]: request.identifier,
        [CLAIM.method]: request.method,
        [CLAIM.target]: request.target,
      }),
    },
    algorithm,
    key: signer.key,
    encode: encodeBase64url,
  };
  change(draft, signer, content);
  const { header, claims, key, encode } = draft;
  const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`;
  return `${input}.${encode(draft.algorithm.sign(key, Buffer.from(input)))}`;
}

/** The reference client whose proofs are made with a change. */
export function making(
  change: (draft: Draft, signer: ProofSigner, content: ProofContent) => void,
): ClientVariant {
  return withParts(() => ({ createProof: (signer, content) => proofWith(signer, content, change) }));
}

/** The reference client whose proofs have one claim otherwise. */
export function claiming(
  name: string,
  value: (right: unknown, content: ProofContent) => unknown,
): ClientVariant {
  return making((draft, _signer, content) => {
    draft.claims[name] = value(draft.claims[name], content);
  });
}

/** The reference client that gets its proofs elsewhere; `inner` is where the reference would get them. */
export function proving(
  proofsOf: (inner: Proofs, basis: Parameters<ClientParts['proofsOf']>[0]) => Partial<Proofs>,
): ClientVariant {
  return withParts(() => ({
    proofsOf(basis) {
      const inner = defaultClientParts.proofsOf(basis);
      return {
        proofFor: (request) => inner.proofFor(request),
        knows: (token) => inner.knows(token),
        refused: (token, proof) => inner.refused(token, proof),
        ...proofsOf(inner, basis),
      };
    },
  }));
}
