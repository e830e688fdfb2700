import { createHmac, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Algorithm, algorithmsFor } from '../proof/algorithms.ts';
import { encodeBase64url } from '../proof/encoding.ts';
import { type JsonObject, parseProof } from '../proof/parse.ts';
import type { ProofVerifier, VerificationRules } from '../proof/subject.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { PROOF_FIELD_LOWER } from '../proof/vocabulary.ts';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { invalidProof } from '../resource-server/refusal.ts';
import { tlsOptionsFor } from '../resource-server/server.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { readGrant } from '../resource-server/token.ts';
import type { Mutant } from './mutant.ts';

/** The reference with this way of verifying proofs. */
function verifying(verifyProof: ProofVerifier): TargetVariant {
  return { parts: () => ({ verifyProof }) };
}

function withRules(rules: Partial<VerificationRules>): TargetVariant {
  return verifying(createVerifier({ rules }));
}

/** The reference with further algorithms for every key. */
function withAlgorithms(further: (key: KeyObject) => readonly Algorithm[]): TargetVariant {
  return withRules({ algorithms: (key) => [...algorithmsFor(key), ...further(key)] });
}

/** The reference that takes, besides signatures that verify, those that this takes. */
function alsoTaking(also: Algorithm['verify']): TargetVariant {
  return withRules({
    algorithms: (key) =>
      algorithmsFor(key).map((algorithm) => ({
        ...algorithm,
        verify: (...given) => algorithm.verify(...given) || also(...given),
      })),
  });
}

/** An algorithm of a verifier that is not careful enough; it signs nothing. */
function careless(name: string, verifies: Algorithm['verify']): Algorithm {
  return { name, sign: () => Buffer.alloc(0), verify: verifies };
}

function objectOf(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function decoded(part: string | undefined): string {
  return Buffer.from(part ?? '', 'base64url').toString();
}

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

const DIGESTS: Readonly<Record<string, string>> = { '256': 'sha256', '384': 'sha384', '512': 'sha512' };

/** Verifies with whatever digest the algorithm's name ends in, if any. */
function byNameAlone(name: string): Algorithm {
  const digest = DIGESTS[name.slice(-3)] ?? null;
  return careless(name, (key, input, signature) =>
    verify(
      key.asymmetricKeyType === 'ed25519' ? null : digest,
      input,
      { key, dsaEncoding: 'ieee-p1363' },
      signature,
    ),
  );
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

/** An RSA key without the restriction to PSS: the RSAPublicKey inside its SubjectPublicKeyInfo (RFC 5280 §4.1). */
function unrestricted(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa-pss') return key;
  const spki = key.export({ type: 'spki', format: 'der' });
  const bitString = spki.indexOf(Buffer.from([0x03, 0x82]));
  return createPublicKey({ key: spki.subarray(bitString + 5), format: 'der', type: 'pkcs1' });
}

/** Mistakes with a proof's header, serialization, algorithm and signature (draft -06 §2.3, RFC 8725). */
export const joseMutants: readonly Mutant[] = [
  {
    id: 'M-RS-04',
    mistake: 'decodes the proof without verifying its signature',
    breaks: ['RS-SIG-1', 'RS-SIG-2', 'RS-HDR-3', 'RS-HDR-5', 'RS-HDR-6', 'RS-HDR-7'],
    variant: () =>
      verifying(createVerifier({ checks: defaultChecks.without('signature').without('algorithm') })),
  },
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
    id: 'M-RS-10',
    mistake: 'takes alg none, in any spelling',
    breaks: ['RS-HDR-5'],
    variant: () =>
      withRules({
        parse: (compact) => parseProof(compact.endsWith('.') ? `${compact}AA` : compact),
        algorithms: (key) => [
          ...algorithmsFor(key),
          ...['none', 'None', 'NONE', 'nOnE'].map((name) => careless(name, () => true)),
        ],
      }),
  },
  {
    id: 'M-RS-11',
    mistake: 'takes an HMAC that is keyed with the public key of the certificate',
    breaks: ['RS-HDR-6'],
    variant: () =>
      withAlgorithms(() =>
        ['HS256', 'HS384', 'HS512'].map((name) =>
          careless(name, (key, input, signature) =>
            createHmac(`sha${name.slice(2)}`, key.export({ type: 'spki', format: 'pem' }))
              .update(input)
              .digest()
              .equals(signature),
          ),
        ),
      ),
  },
  {
    id: 'M-RS-12',
    mistake: 'does not tie the algorithm to the type and curve of the key',
    breaks: ['RS-HDR-3'],
    variant: () =>
      withAlgorithms(() => ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'EdDSA'].map(byNameAlone)),
  },
  {
    id: 'M-RS-13',
    mistake: 'takes ES256 only, from clients whose certificates it lets in with any key',
    breaks: ['RS-HDR-4'],
    variant: () =>
      withRules({ algorithms: (key) => algorithmsFor(key).filter(({ name }) => name === 'ES256') }),
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
    id: 'M-RS-119',
    mistake: 'takes RSA keys of any size, and PKCS#1 v1.5 by keys that are restricted to PSS',
    breaks: ['RS-SIG-3'],
    variant: () => ({
      tls: (material) => ({ ...tlsOptionsFor(material), ciphers: 'DEFAULT@SECLEVEL=0' }),
      ...withAlgorithms((key) =>
        key.asymmetricKeyType === 'rsa' || key.asymmetricKeyType === 'rsa-pss'
          ? [
              careless('RS256', (rsa, input, signature) =>
                verify('sha256', input, unrestricted(rsa), signature),
              ),
            ]
          : [],
      ),
    }),
  },
  {
    id: 'M-RS-150',
    mistake: 'takes proofs with RSA signatures only',
    breaks: ['RS-HDR-4'],
    variant: () =>
      withRules({ algorithms: (key) => algorithmsFor(key).filter(({ name }) => /^[RP]S/.test(name)) }),
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
    id: 'M-RS-153',
    mistake: 'takes ECDSA signatures in the DER form too',
    breaks: ['RS-SIG-2'],
    variant: () =>
      alsoTaking((key, input, signature) => verify('sha256', input, { key, dsaEncoding: 'der' }, signature)),
  },
  {
    id: 'M-RS-154',
    mistake: 'takes an ECDSA signature of zeros',
    breaks: ['RS-SIG-2'],
    variant: () => alsoTaking((_key, _input, signature) => signature.every((octet) => octet === 0)),
  },
  {
    id: 'M-RS-155',
    mistake: 'verifies the signature over header and payload written anew',
    breaks: ['RS-SIG-1'],
    variant: () =>
      withRules({
        parse(compact) {
          const proof = parseProof(compact);
          if ('code' in proof) return proof;
          const parts = [proof.header, proof.claims].map((part) => encodeBase64url(JSON.stringify(part)));
          return { ...proof, signingInput: Buffer.from(parts.join('.')) };
        },
      }),
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
    breaks: ['RS-DPOP-4'],
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
