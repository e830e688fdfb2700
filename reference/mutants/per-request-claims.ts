import { checkIdentifier, checkMethod, checkTarget } from '../proof/claim-checks.ts';
import { Checks } from '../proof/checks.ts';
import { parseProof } from '../proof/parse.ts';
import { matchesMethod, matchesTarget } from '../proof/request-target.ts';
import type { CheckName, ProofCheck, ProofVerifier, VerificationRules } from '../proof/subject.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { proofsOf } from '../resource-server/credentials.ts';
import { targetOf, type HttpRequest } from '../resource-server/http-message.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';

function verifying(verifyProof: ProofVerifier): TargetVariant {
  return { parts: () => ({ verifyProof }) };
}

function withChecks(checks: Checks<CheckName, ProofCheck>): TargetVariant {
  return verifying(createVerifier({ checks }));
}

function withTargetRule(rule: VerificationRules['matchesTarget']): TargetVariant {
  return verifying(createVerifier({ rules: { matchesTarget: rule } }));
}

const PATH_OF_URI = /^https:\/\/[^/]*/;

/** Two steps of the identifier store, with other work between them. */
function lookingFirst(): TargetVariant {
  const seen = new Set<unknown>();
  const seenBefore = new WeakMap<HttpRequest, boolean>();
  let current: HttpRequest | undefined;
  return {
    listener: (inner) => (request, response) => {
      const jti = jtiOf(request);
      if (jti === undefined) return inner(request, response);
      seenBefore.set(request, seen.has(jti));
      setTimeout(() => inner(request, response), 20);
    },
    parts: () => ({
      targetOf(request) {
        current = request;
        return targetOf(request);
      },
      identifiers: {
        claim(_tokenHash, jti) {
          seen.add(jti);
          return current === undefined || seenBefore.get(current) !== true;
        },
      },
    }),
  };
}

function jtiOf(request: HttpRequest): unknown {
  const proof = parseProof(proofsOf(request)[0] ?? '');
  return 'claims' in proof ? proof.claims['jti'] : undefined;
}

/** Mistakes with `jti`, `htm` and `htu` (draft -06 §2.3.2.2, §3.3.2 step 5i). */
export const perRequestClaimsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-58',
    mistake: 'never checks whether a jti was seen before',
    breaks: ['RS-PL-7'],
    variant: () => ({ parts: () => ({ identifiers: { claim: () => true } }) }),
  },
  {
    id: 'M-RS-61',
    mistake: 'remembers the proof’s text instead of its jti, so that it passes when signed anew',
    breaks: ['RS-PL-7'],
    variant: () => {
      const verify = createVerifier();
      return verifying((subject) =>
        verify({ ...subject, claimIdentifier: () => subject.claimIdentifier(subject.proof) }),
      );
    },
  },
  {
    id: 'M-RS-175',
    mistake: 'remembers each jti for one connection only',
    breaks: ['RS-PL-7'],
    variant: () => {
      const verify = createVerifier();
      return verifying((subject) => {
        const connection = Buffer.from(subject.exporter).toString('hex');
        return verify({
          ...subject,
          claimIdentifier: (jti) => subject.claimIdentifier(`${connection} ${jti}`),
        });
      });
    },
  },
  {
    id: 'M-RS-323',
    mistake: 'remembers the token instead of the jti, so that a second per-request proof for it is a replay',
    breaks: ['RS-PL-7'],
    variant: () => {
      const verify = createVerifier();
      return verifying((subject) =>
        verify({ ...subject, claimIdentifier: () => subject.claimIdentifier('') }),
      );
    },
  },
  {
    id: 'M-RS-324',
    mistake: 'keeps proofs in a column of 8192 characters, whose error nothing catches',
    breaks: ['RS-PL-9', 'RS-PL-17'],
    variant: () => {
      const verify = createVerifier();
      return verifying((subject) => {
        if (subject.proof.length > 8192) throw new Error('value too long for type character varying(8192)');
        return verify(subject);
      });
    },
  },
  {
    id: 'M-RS-176',
    mistake: 'looks for a jti first and records it later, so that requests at the same time all pass',
    breaks: ['RS-PL-7'],
    variant: lookingFirst,
  },
  {
    id: 'M-RS-177',
    mistake: 'records the jti before it verifies the proof, so that anybody can use it up',
    breaks: ['RS-PL-8'],
    variant: () => {
      const identifier = defaultChecks.get('identifier');
      return withChecks(new Checks([identifier, ...defaultChecks.without('identifier')]));
    },
  },
  {
    id: 'M-RS-178',
    mistake: 'checks htm and htu only in proofs that have a jti',
    breaks: ['RS-PL-10', 'RS-PL-11'],
    variant: () => {
      const withIdentifier =
        (check: ProofCheck): ProofCheck =>
        (proof, subject, rules) =>
          Object.hasOwn(proof.claims, 'jti') ? check(proof, subject, rules) : undefined;
      return withChecks(
        defaultChecks.with('method', withIdentifier(checkMethod)).with('target', withIdentifier(checkTarget)),
      );
    },
  },
  {
    id: 'M-RS-179',
    mistake: 'records a jti only in proofs that have htm and htu too',
    breaks: ['RS-PL-7'],
    variant: () =>
      withChecks(
        defaultChecks.with('identifier', (proof, subject) =>
          Object.hasOwn(proof.claims, 'htm') ? checkIdentifier(proof, subject) : undefined,
        ),
      ),
  },
  {
    id: 'M-RS-62',
    mistake: 'ignores htm',
    breaks: ['RS-PL-10'],
    variant: () => withChecks(defaultChecks.without('method')),
  },
  {
    id: 'M-RS-180',
    mistake: 'compares htm with X-HTTP-Method-Override where a request has that field',
    breaks: ['RS-PL-10'],
    variant: () => ({
      parts: () => ({
        targetOf: (request) => {
          const override = request.headers['x-http-method-override'];
          return { ...targetOf(request), ...(typeof override === 'string' && { method: override }) };
        },
      }),
    }),
  },
  {
    id: 'M-RS-181',
    mistake: 'takes every request for a GET request when it compares htm',
    breaks: ['RS-PL-10'],
    variant: () =>
      verifying(
        createVerifier({
          rules: { matchesMethod: (htm, request) => matchesMethod(htm, { ...request, method: 'GET' }) },
        }),
      ),
  },
  {
    id: 'M-RS-63',
    mistake: 'ignores htu',
    breaks: ['RS-PL-11', 'RS-PL-12'],
    variant: () => withChecks(defaultChecks.without('target')),
  },
  {
    id: 'M-RS-182',
    mistake: 'takes htu for right where the request’s path begins with its path',
    breaks: ['RS-PL-11'],
    variant: () =>
      withTargetRule((htu, request) => {
        const path = htu.replace(PATH_OF_URI, '');
        const origin = htu.slice(0, htu.length - path.length);
        return path.startsWith('/') && request.path.startsWith(path)
          ? matchesTarget(origin + request.path, request)
          : false;
      }),
  },
  {
    id: 'M-RS-183',
    mistake: 'takes htu for right where its path begins with the request’s path',
    breaks: ['RS-PL-11'],
    variant: () =>
      withTargetRule((htu, request) => {
        const path = htu.replace(PATH_OF_URI, '');
        const origin = htu.slice(0, htu.length - path.length);
        return path.startsWith(request.path) && matchesTarget(origin + request.path, request);
      }),
  },
  {
    id: 'M-RS-184',
    mistake: 'compares only the path of an absolute htu',
    breaks: ['RS-PL-12'],
    variant: () => withTargetRule((htu, request) => matchesTarget(URL.parse(htu)?.pathname ?? htu, request)),
  },
  {
    id: 'M-RS-185',
    mistake: 'compares htu with a URI of the scheme http, since TLS ends in front of it',
    breaks: ['RS-PL-12'],
    variant: () => withTargetRule((htu, { authority, path }) => htu === `http://${authority ?? ''}${path}`),
  },
  {
    id: 'M-RS-341',
    mistake: 'hands htu to a parser of URIs, whose error nothing catches',
    breaks: ['RS-PL-17'],
    variant: () =>
      withTargetRule((htu, request) => {
        const { pathname } = new URL(htu, `https://${request.authority}`);
        return matchesTarget(htu, request) && pathname !== '';
      }),
  },
  {
    id: 'M-RS-64',
    mistake: 'compares htu with the request target including its query',
    breaks: ['RS-PL-13'],
    variant: () => ({
      parts: () => ({
        targetOf: (request) => ({ ...targetOf(request), path: request.url ?? '' }),
      }),
    }),
  },
];
