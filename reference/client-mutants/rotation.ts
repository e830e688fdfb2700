import type { ClientIdentity } from '../client/identity.ts';
import { signerOf } from '../client/identity.ts';
import { defaultClientParts } from '../client/parts.ts';
import { boundThumbprint } from '../client/token-binding.ts';
import { createProof, type ProofSigner } from '../proof/create.ts';
import { thumbprint } from '../proof/encoding.ts';
import { HEADER } from '../proof/vocabulary.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { making, proving, withParts } from './making.ts';
import type { ClientMutant } from './mutant.ts';
import { resuming } from './resumption.ts';

/** Makes the proofs of new connections with something of the first identity. */
function keeping(mix: (first: ProofSigner, current: ProofSigner) => ProofSigner): ClientVariant {
  let first: ProofSigner | undefined;
  return withParts(() => ({
    signerOf(identity) {
      const current = signerOf(identity);
      first ??= current;
      return mix(first, current);
    },
  }));
}

function firstIdentityForEver(): ClientVariant {
  let first: ClientIdentity | undefined;
  return withParts(() => ({
    tlsOptions: (origin, identity, settings) =>
      defaultClientParts.tlsOptions(origin, (first ??= identity), settings),
    signerOf: (identity) => signerOf((first ??= identity)),
  }));
}

/** Proves tokens that are bound to the certificate that it was started with; others are not its own, it thinks. */
function provesForFirstOnly(): ClientVariant {
  let first: string | undefined;
  return proving((inner, { signer }) => {
    first ??= thumbprint(signer.certificate.raw);
    return {
      proofFor: (request) =>
        (boundThumbprint(request.token) ?? first) === first ? inner.proofFor(request) : undefined,
    };
  });
}

/** Makes proofs with something of the identity that is there now, whatever was presented on the connection. */
function renewing(mix: (own: ProofSigner, current: ProofSigner) => ProofSigner): ClientVariant {
  let current: (() => ClientIdentity) | undefined;
  return {
    client: {
      parts: {
        createProof: (own, content) =>
          createProof(current === undefined ? own : mix(own, signerOf(current())), content),
      },
    },
    dispatcher(client, { identity }) {
      current = identity;
      return client;
    },
  };
}

function firstAlgorithm(): ClientVariant {
  let first: unknown;
  return making((draft) => {
    first ??= draft.header[HEADER.algorithm];
    draft.header[HEADER.algorithm] = first;
  });
}

/** Mistakes when certificate and key are renewed (draft -06 §2.3.3, Appendix C.2). */
export const rotationMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-45',
    mistake: 'names the first certificate in the proofs of new connections, after it was renewed',
    breaks: ['CL-SVID-1'],
    variant: () => keeping((first, { key }) => ({ key, certificate: first.certificate })),
  },
  {
    id: 'M-CL-170',
    mistake: 'signs with the first key on new connections, after it was renewed',
    breaks: ['CL-SVID-1'],
    variant: () => keeping(({ key }, { certificate }) => ({ key, certificate })),
  },
  {
    id: 'M-CL-171',
    mistake: 'names the algorithm of the first key for ever',
    breaks: ['CL-SVID-1'],
    variant: firstAlgorithm,
  },
  {
    id: 'M-CL-172',
    mistake: 'presents the first certificate for ever',
    breaks: ['CL-SVID-1'],
    variant: firstIdentityForEver,
  },
  {
    id: 'M-CL-359',
    mistake: 'sends no proof with tokens that name another certificate than the one that it was started with',
    breaks: ['CL-SVID-1'],
    variant: provesForFirstOnly,
  },
  {
    id: 'M-CL-173',
    mistake: 'makes proofs for old connections with the renewed certificate and key',
    breaks: ['CL-SVID-2'],
    variant: () => renewing((_own, current) => current),
  },
  {
    id: 'M-CL-174',
    mistake: 'signs proofs for old connections with the renewed key',
    breaks: ['CL-SVID-2'],
    variant: () => renewing(({ certificate }, { key }) => ({ key, certificate })),
  },
  {
    id: 'M-CL-420',
    mistake:
      'keeps TLS sessions by server alone, resumes one of the former certificate, and signs with the renewed key',
    breaks: ['CL-SVID-2'],
    variant: () => resuming(() => ''),
  },
  {
    id: 'M-CL-421',
    mistake:
      'keeps TLS sessions by server alone, so that it stays with the former certificate for as long as it can resume',
    breaks: ['CL-SVID-1'],
    variant: () => resuming(() => '', 'session'),
  },
];
