import { defaultPresentationChecks, type Presentation } from '../resource-server/admission.ts';
import { type BindingCache, createBindingCache } from '../resource-server/bindings.ts';
import { certificateOf, ConnectionReader, defaultConnectionFacts } from '../resource-server/connection.ts';
import { invalidProof, invalidToken, type Refusal } from '../resource-server/refusal.ts';
import type { ResourceServerParts } from '../resource-server/parts.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';
import { type Exempt, PROOF_CHECKS, skipping } from './skipped-checks.ts';

/** Finds bindings by some name instead of by connection and token. */
export function cacheBy(nameOf: (connection: object, tokenHash: string) => string): BindingCache {
  const verified = new Map<string, string>();
  return {
    get: (connection, tokenHash) => verified.get(nameOf(connection, tokenHash)),
    set: (connection, tokenHash, proof) => void verified.set(nameOf(connection, tokenHash), proof),
  };
}

const cached: Exempt = ({ key, tokenHash }, { bindings }) => bindings.get(key, tokenHash) !== undefined;

type Verify = () => Refusal | undefined;

/** The reference with something done around the verification of a proof. */
function around(
  check: (presentation: Presentation, verify: Verify, parts: ResourceServerParts) => Refusal | undefined,
  bindings?: BindingCache,
): TargetVariant {
  const { run } = defaultPresentationChecks.get('proof');
  const checks = defaultPresentationChecks.with('proof', (presentation, parts) =>
    presentation.confirmation.kind === 'session'
      ? check(presentation, () => run(presentation, parts), parts)
      : run(presentation, parts),
  );
  return { parts: () => ({ checks, ...(bindings && { bindings }) }) };
}

function usedUp(description: string): Refusal {
  return invalidProof({ code: 'replayed', step: 'i', description });
}

function remembersRefusals(): TargetVariant {
  const refused = new WeakMap<object, Map<string, Refusal>>();
  return around(({ key, tokenHash }, verify) => {
    const before = refused.get(key)?.get(tokenHash);
    if (before !== undefined) return before;
    const refusal = verify();
    if (refusal !== undefined)
      refused.set(key, (refused.get(key) ?? new Map<string, Refusal>()).set(tokenHash, refusal));
    return refusal;
  });
}

function refusesEvicted(): TargetVariant {
  const verified = new WeakMap<object, Set<string>>();
  return around((presentation, verify, parts) => {
    const { key, tokenHash } = presentation;
    const known = verified.get(key) ?? new Set();
    if (known.has(tokenHash) && !cached(presentation, parts)) return usedUp('the binding is gone');
    const refusal = verify();
    const perRequest = refusal === undefined && !cached(presentation, parts);
    if (refusal === undefined && !perRequest) verified.set(key, known.add(tokenHash));
    return refusal;
  }, createBindingCache(64));
}

function oneTime(): TargetVariant {
  const used = new WeakMap<object, Set<string>>();
  return around(({ key, proofs }, verify) => {
    const proof = proofs[0] ?? '';
    const before = used.get(key) ?? new Set();
    if (before.has(proof)) return usedUp('the proof was presented before');
    const refusal = verify();
    if (refusal === undefined) used.set(key, before.add(proof));
    return refusal;
  });
}

function anyProofOfConnection(): TargetVariant {
  const right = new WeakMap<object, Set<string>>();
  return around(({ key, proofs }, verify) => {
    const proof = proofs[0] ?? '';
    const before = right.get(key) ?? new Set();
    if (before.has(proof)) return undefined;
    const refusal = verify();
    if (refusal === undefined) right.set(key, before.add(proof));
    return refusal;
  });
}

function pinsFirstProof(): TargetVariant {
  return around(({ key, tokenHash, proofs }, verify, { bindings }) => {
    const first = bindings.get(key, tokenHash);
    return first === undefined || first === proofs[0]
      ? verify()
      : usedUp('another proof is bound to this token');
  });
}

/** Two certificates with one SPIFFE ID: the newer one pushes the older one's connections out. */
function newestCertificateOnly(): TargetVariant {
  const newest = new Map<string, string>();
  const names = new Map<string, string>();
  const { run } = defaultPresentationChecks.get('certificate');
  return {
    parts: () => ({
      connections: new ConnectionReader({
        ...defaultConnectionFacts,
        certificateOf(socket) {
          const certificate = certificateOf(socket);
          const name = socket.getPeerX509Certificate()?.subjectAltName;
          if (certificate !== undefined && name?.startsWith('URI:spiffe:') === true) {
            newest.set(name, certificate.thumbprint);
            names.set(certificate.thumbprint, name);
          }
          return certificate;
        },
      }),
      checks: defaultPresentationChecks.with('certificate', (presentation, parts) => {
        const thumbprint = presentation.connection.certificate?.thumbprint ?? '';
        const current = newest.get(names.get(thumbprint) ?? '');
        if (current === undefined || current === thumbprint) return run(presentation, parts);
        return invalidToken('the client has a newer certificate');
      }),
    }),
  };
}

/** Mistakes in remembering verified bindings (draft -06 §3.3.2, closing paragraphs). */
export const bindingCacheMutants: readonly Mutant[] = [
  {
    id: 'M-RS-69',
    mistake: 'finds verified bindings by ath alone',
    breaks: ['RS-CACHE-2', 'RS-CACHE-4', 'RS-CACHE-5', 'RS-T1', 'RS-T4'],
    variant: () => ({ parts: () => ({ bindings: cacheBy((_connection, tokenHash) => tokenHash) }) }),
  },
  {
    id: 'M-RS-70',
    mistake: 'finds verified bindings by the connection alone',
    breaks: ['RS-CACHE-1', 'RS-CACHE-3', 'RS-CACHE-13', 'RS-MUX-2', 'RS-MUX-4', 'RS-MUX-5'],
    variant: () => {
      const verified = new WeakMap<object, string>();
      const bindings: BindingCache = {
        get: (connection) => verified.get(connection),
        set: (connection, _tokenHash, proof) => void verified.set(connection, proof),
      };
      return { parts: () => ({ bindings }) };
    },
  },
  {
    id: 'M-RS-75',
    mistake: 'remembers refusals, so that a right proof after a wrong one is refused',
    breaks: ['RS-CACHE-7'],
    variant: remembersRefusals,
  },
  {
    id: 'M-RS-78',
    mistake: 'takes a cached binding in place of the proof field',
    breaks: ['RS-CACHE-9', 'RS-MUX-3', 'RS-MUX-4', 'RS-CNF-1'],
    variant: () =>
      skipping(
        PROOF_CHECKS,
        (presentation, parts) => presentation.proofs.length === 0 && cached(presentation, parts),
      ),
  },
  {
    id: 'M-RS-79',
    mistake: 'takes a binding that was pushed out of the cache for one that was used up',
    breaks: ['RS-CACHE-12'],
    variant: refusesEvicted,
  },
  {
    id: 'M-RS-80',
    mistake: 'finds verified bindings by the first two octets of ath',
    breaks: ['RS-CACHE-13'],
    variant: () => {
      const inner = createBindingCache();
      const short = (tokenHash: string) => Buffer.from(tokenHash, 'base64url').toString('hex', 0, 2);
      const bindings: BindingCache = {
        get: (connection, tokenHash) => inner.get(connection, short(tokenHash)),
        set: (connection, tokenHash, proof) => inner.set(connection, short(tokenHash), proof),
      };
      return { parts: () => ({ bindings }) };
    },
  },
  {
    id: 'M-RS-83',
    mistake: 'takes any proof that was right once on the connection, for whatever token',
    breaks: [
      'RS-CACHE-1',
      'RS-CACHE-3',
      'RS-CACHE-8',
      'RS-CACHE-13',
      'RS-MUX-2',
      'RS-MUX-3',
      'RS-MUX-4',
      'RS-MUX-5',
      'RS-PL-7',
    ],
    variant: anyProofOfConnection,
  },
  {
    id: 'M-RS-86',
    mistake: 'takes a proof without jti for a one-time one',
    breaks: ['RS-CACHE-1', 'RS-CACHE-11', 'RS-MUX-1', 'RS-MUX-3', 'RS-MUX-4', 'RS-MUX-7', 'RS-EKM-6'],
    variant: oneTime,
  },
  {
    id: 'M-RS-123',
    mistake:
      'keeps bindings by the newest certificate of a client, so that rotation breaks earlier connections',
    breaks: ['CL-SVID-4'],
    variant: newestCertificateOnly,
  },
  {
    id: 'M-RS-210',
    mistake: 'leaves out the whole proof on a cache hit, per-request claims included',
    breaks: ['RS-CACHE-8', 'RS-CACHE-9', 'RS-PL-7'],
    variant: () => skipping(['proof'], cached),
  },
  {
    id: 'M-RS-211',
    mistake: 'stores a binding before it is verified, so that a refused request is served the second time',
    breaks: ['RS-CACHE-6', 'RS-T1'],
    variant: () =>
      around(({ key, tokenHash, proofs }, verify, { bindings }) => {
        const refusal = verify();
        if (refusal !== undefined) bindings.set(key, tokenHash, proofs[0] ?? '');
        return refusal;
      }),
  },
  {
    id: 'M-RS-212',
    mistake: 'caches proofs that speak of one request only',
    breaks: ['RS-CACHE-8'],
    variant: () =>
      around(({ key, tokenHash, proofs }, verify, { bindings }) => {
        const refusal = verify();
        if (refusal === undefined) bindings.set(key, tokenHash, proofs[0] ?? '');
        return refusal;
      }),
  },
  {
    id: 'M-RS-213',
    mistake: 'takes no other proof for a token than the first one of the connection',
    breaks: ['RS-CACHE-11', 'RS-EKM-15'],
    variant: pinsFirstProof,
  },
];
