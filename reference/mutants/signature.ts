import { createHmac, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Algorithm, algorithmsFor } from '../proof/algorithms.ts';
import { encodeBase64url } from '../proof/encoding.ts';
import { parseProof } from '../proof/parse.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { tlsOptionsFor } from '../resource-server/server.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';
import { verifying, withRules } from './proof-variants.ts';

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

/** What verifies by an RSA key under some algorithm of its own, whatever the header names. */
function byKeyAlone(key: KeyObject): readonly Algorithm[] {
  if (key.asymmetricKeyType !== 'rsa') return [];
  const own = algorithmsFor(key);
  return ['ES256', 'ES384', 'EdDSA'].map((name) =>
    careless(name, (...given) => own.some((algorithm) => algorithm.verify(...given))),
  );
}

/** An RSA key without the restriction to PSS: the RSAPublicKey inside its SubjectPublicKeyInfo (RFC 5280 §4.1). */
function unrestricted(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa-pss') return key;
  const spki = key.export({ type: 'spki', format: 'der' });
  const bitString = spki.indexOf(Buffer.from([0x03, 0x82]));
  return createPublicKey({ key: spki.subarray(bitString + 5), format: 'der', type: 'pkcs1' });
}

/** Mistakes with a proof's algorithm and signature (draft -06 §2.3.3, §3.3.2 step 5e, RFC 8725 §3.1). */
export const signatureMutants: readonly Mutant[] = [
  {
    id: 'M-RS-04',
    mistake: 'decodes the proof without verifying its signature',
    breaks: ['RS-SIG-1', 'RS-SIG-2', 'RS-HDR-3', 'RS-HDR-5', 'RS-HDR-6', 'RS-HDR-7'],
    variant: () =>
      verifying(createVerifier({ checks: defaultChecks.without('signature').without('algorithm') })),
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
    id: 'M-RS-441',
    mistake: 'takes for an RSA key whatever one of its algorithms verifies, and does not look at alg',
    breaks: ['RS-HDR-3'],
    also: ['TLSv1.3 http/1.1 RSA'],
    variant: () => withAlgorithms(byKeyAlone),
  },
  {
    id: 'M-RS-13',
    mistake: 'takes ES256 only, from clients whose certificates it lets in with any key',
    breaks: ['RS-HDR-4'],
    variant: () =>
      withRules({ algorithms: (key) => algorithmsFor(key).filter(({ name }) => name === 'ES256') }),
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
];
