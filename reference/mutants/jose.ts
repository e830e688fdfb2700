import { createPublicKey, type KeyObject } from 'node:crypto';
import { type JsonObject, parseProof } from '../proof/parse.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { PROOF_FIELD_LOWER } from '../proof/vocabulary.ts';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { invalidProof } from '../resource-server/refusal.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { readGrant } from '../resource-server/token.ts';
import type { Mutant } from './mutant.ts';
import { decoded, objectOf, verifying, withRules } from './proof-variants.ts';

/** The reference that verifies with the key that the header gives, where it gives one. */
function keyFrom(read: (header: JsonObject) => KeyObject | undefined): TargetVariant {
  return withRules({
    verificationKey({ header }, { certificate }) {
      try {
        return read(header) ?? certificate.publicKey;
      } catch {
        return certificate.publicKey;
      }
    },
  });
}

/** A compact serialization, whatever serialization a proof comes in (RFC 7515 §7.2). */
function compactOf(proof: string): string {
  const general = objectOf(proof) ?? objectOf(decoded(proof));
  const { payload, protected: header, signature } = { ...general, ...firstSignature(general) };
  return [header, payload, signature].every((part) => typeof part === 'string')
    ? [header, payload, signature].join('.')
    : proof;
}

function firstSignature(general: JsonObject | undefined): JsonObject {
  const signatures = general?.['signatures'];
  const first: unknown = Array.isArray(signatures) ? signatures[0] : undefined;
  return typeof first === 'object' && first !== null ? { ...first } : {};
}

/** RFC 7797: a header with `b64` false, a dot, the payload as it is, a dot, the signature. */
function parseUnencoded(compact: string) {
  const [first, last] = [compact.indexOf('.'), compact.lastIndexOf('.')];
  const header = objectOf(decoded(compact.slice(0, first)));
  const claims = objectOf(compact.slice(first + 1, last));
  if (header?.['b64'] !== false || claims === undefined) return parseProof(compact);
  const signingInput = Buffer.from(compact.slice(0, last));
  return { header, claims, signingInput, signature: Buffer.from(compact.slice(last + 1), 'base64url') };
}

/** The address that a request's proof names in `jku` or `x5u`. */
function referenceIn(request: HttpRequest): string | undefined {
  const [proof = ''] = fieldValues(request, PROOF_FIELD_LOWER);
  const header = objectOf(decoded(proof.split('.')[0]));
  const reference = header?.['jku'] ?? header?.['x5u'];
  return typeof reference === 'string' ? reference : undefined;
}

/** Mistakes with a proof's header, serialization and verification key, and with what passes for a proof (draft -06 §2.3, RFC 8725). */
export const joseMutants: readonly Mutant[] = [
  {
    id: 'M-RS-06',
    mistake: 'verifies with the key in the header parameter jwk, as DPoP does',
    breaks: ['RS-HDR-7'],
    variant: () =>
      keyFrom(({ jwk }) =>
        typeof jwk === 'object' && jwk !== null
          ? createPublicKey({ key: { ...jwk }, format: 'jwk' })
          : undefined,
      ),
  },
  {
    id: 'M-RS-08',
    mistake: 'fetches what jku or x5u of a proof name',
    breaks: ['RS-HDR-7'],
    variant: () => ({
      listener: (inner) => (request, response) => {
        const reference = referenceIn(request);
        if (reference === undefined) return inner(request, response);
        void fetch(reference)
          .catch(() => undefined)
          .then(() => {
            inner(request, response);
          });
      },
    }),
  },
  {
    id: 'M-RS-15',
    mistake: 'does not check typ',
    breaks: ['RS-HDR-1', 'RS-SIG-4', 'RS-DPOP-4'],
    variant: () => verifying(createVerifier({ checks: defaultChecks.without('type') })),
  },
  {
    id: 'M-RS-16',
    mistake: 'ignores crit',
    breaks: ['RS-HDR-9'],
    variant: () => verifying(createVerifier({ checks: defaultChecks.without('critical') })),
  },
  {
    id: 'M-RS-17',
    mistake: 'honours the unencoded-payload option',
    breaks: ['RS-HDR-10'],
    variant: () => ({
      parts: () => ({
        verifyProof: createVerifier({
          rules: { parse: parseUnencoded },
          checks: defaultChecks
            .without('unencoded')
            .with('critical', (proof, ...rest) =>
              JSON.stringify(proof.header['crit']) === '["b64"]'
                ? undefined
                : defaultChecks.get('critical').run(proof, ...rest),
            ),
        }),
        // An unencoded payload is JSON, so the field's value has commas.
        checks: defaultPresentationChecks.with('single-proof', ({ proofs }) =>
          proofs.length > 1
            ? invalidProof({ code: 'not-compact', step: 'd', description: 'there is more than one proof' })
            : undefined,
        ),
      }),
    }),
  },
  {
    id: 'M-RS-18',
    mistake: 'takes the JSON serializations of a JWS too',
    breaks: ['RS-HDR-11'],
    variant: () => withRules({ parse: (proof) => parseProof(compactOf(proof)) }),
  },
  {
    id: 'M-RS-19',
    mistake: 'does not compare x5t#S256 in the header',
    breaks: ['RS-HDR-8'],
    variant: () => verifying(createVerifier({ checks: defaultChecks.without('thumbprint') })),
  },
  {
    id: 'M-RS-92',
    mistake: 'takes a proof for an access token',
    breaks: ['RS-TOK-3', 'RS-SIG-4'],
    variant: () => ({
      parts: ({ validateToken }) => ({
        async validateToken(token, now) {
          const grant = await validateToken(token, now);
          const claims = objectOf(decoded(token.split('.')[1]));
          return grant ?? (typeof claims?.['ath'] === 'string' ? readGrant(claims) : undefined);
        },
      }),
    }),
  },
  {
    id: 'M-RS-151',
    mistake: 'unwraps a JWT whose payload is a JWT, and judges the inner one',
    breaks: ['RS-HDR-11'],
    variant: () =>
      withRules({
        parse(proof) {
          const inner = decoded(proof.split('.')[1]);
          return parseProof(inner.startsWith('eyJ') ? inner : proof);
        },
      }),
  },
  {
    id: 'M-RS-152',
    mistake: 'splits a proof at its dots and looks at three parts of however many there are',
    breaks: ['RS-HDR-11'],
    variant: () => withRules({ parse: (proof) => parseProof(proof.split('.').slice(0, 3).join('.')) }),
  },
  {
    id: 'M-RS-158',
    mistake: 'verifies with the key of the certificate in the header parameter x5c',
    breaks: ['RS-HDR-7'],
    variant: () =>
      keyFrom(({ x5c }) =>
        Array.isArray(x5c)
          ? createPublicKey(`-----BEGIN CERTIFICATE-----\n${String(x5c[0])}\n-----END CERTIFICATE-----`)
          : undefined,
      ),
  },
  {
    id: 'M-RS-160',
    mistake: 'takes the proof from the DPoP field too',
    breaks: ['RS-DPOP-4', 'RS-FLD-1'],
    variant: () => ({
      parts: () => ({
        proofsOf: (request) => [...fieldValues(request, PROOF_FIELD_LOWER), ...fieldValues(request, 'dpop')],
      }),
    }),
  },
  {
    id: 'M-RS-161',
    mistake: 'takes an access token for a proof',
    breaks: ['RS-TOK-3'],
    variant: () => ({
      parts({ validateToken }) {
        const verifyProof = createVerifier();
        return {
          verifyProof(subject) {
            const proof = parseProof(subject.proof);
            const grant = validateToken(subject.proof, subject.now);
            if ('code' in proof || grant === undefined || grant instanceof Promise)
              return verifyProof(subject);
            return { holds: true, proof };
          },
        };
      },
    }),
  },
];
