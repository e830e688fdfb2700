import {
  constants,
  createHmac,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto';
import { defaultClientParts } from '../client/parts.ts';
import { algorithmsFor } from '../proof/algorithms.ts';
import type { ProofSigner } from '../proof/create.ts';
import { encodeBase64url } from '../proof/encoding.ts';
import { CLAIM, HEADER } from '../proof/vocabulary.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { type Draft, making, proofWith, withParts } from './making.ts';
import type { ClientMutant } from './mutant.ts';

function certificateOf(signer: { readonly certificate: { readonly raw: Buffer } }): X509Certificate {
  return new X509Certificate(signer.certificate.raw);
}

/** The reference client that writes another thumbprint. */
function thumbprinting(value: (certificate: X509Certificate, right: unknown) => unknown): ClientVariant {
  return making((draft, signer) => {
    draft.header[HEADER.certificate] = value(certificateOf(signer), draft.header[HEADER.certificate]);
  });
}

function typed(type: string | undefined): ClientVariant {
  return making((draft) => {
    draft.header[HEADER.type] = type;
  });
}

/** One algorithm for whatever key there is, as an example in some manual had it. */
function fixed(name: 'ES256' | 'RS256'): ClientVariant {
  return making((draft) => {
    draft.header[HEADER.algorithm] = name;
    const plain = (key: KeyObject, input: Uint8Array) =>
      sign('sha256', input, { key, dsaEncoding: 'ieee-p1363', padding: constants.RSA_PKCS1_PADDING });
    const { asymmetricKeyType } = draft.key;
    if (asymmetricKeyType !== 'ed25519') draft.algorithm = { sign: plain };
  });
}

/** The thumbprint of the last certificate of the file. */
function lastOfFile(): ClientVariant {
  const chains = new WeakMap<ProofSigner, string>();
  return withParts(() => ({
    signerOf(identity) {
      const signer = defaultClientParts.signerOf(identity);
      chains.set(signer, identity.certificate);
      return signer;
    },
    createProof: (signer, content) =>
      proofWith(signer, content, (draft) => {
        const chain = chains.get(signer) ?? '';
        const last = chain.slice(chain.lastIndexOf('-----BEGIN'));
        draft.header[HEADER.certificate] = hash('sha256', new X509Certificate(last).raw, 'base64url');
      }),
  }));
}

/** Signs with a key of the application, of the same type as the certificate's. */
function ownKey(): ClientVariant {
  const keys = new Map<string, KeyObject>();
  return making((draft) => {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = draft.key;
    const kind = `${type} ${details?.namedCurve ?? details?.modulusLength}`;
    const known = keys.get(kind) ?? likeKey(type, details?.namedCurve, details?.modulusLength);
    keys.set(kind, known);
    draft.key = known;
  });
}

function likeKey(type: string | undefined, curve: string | undefined, bits = 2048): KeyObject {
  if (type === 'ec') return generateKeyPairSync('ec', { namedCurve: curve ?? 'P-256' }).privateKey;
  if (type === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  return generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
}

function isElliptic({ key }: Draft): boolean {
  return key.asymmetricKeyType === 'ec';
}

/** Octets of the first signature in DER, by curve. */
const lengths = new Map<string | undefined, number>();

/** An ECDSA signature in DER, of the length that the first one had: which lengths a series has is chance otherwise. */
function inDer(key: KeyObject, input: Uint8Array): Buffer {
  const digest = `sha${algorithmsFor(key)[0]?.name.slice(2) ?? '256'}`;
  const signature = sign(digest, input, key);
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const length = lengths.get(curve) ?? signature.length;
  lengths.set(curve, length);
  return signature.length === length ? signature : inDer(key, input);
}

/** Takes leading zeros off R and S, as a number's shortest form has none. */
function stripped(signature: Buffer): Buffer {
  const half = signature.length / 2;
  const short = (part: Buffer) => part.subarray(part.findIndex((octet) => octet !== 0));
  return Buffer.concat([short(signature.subarray(0, half)), short(signature.subarray(half))]);
}

/** Each half as if its number were text: filled up at its end. */
function filledUp(signature: Buffer): Buffer {
  const length = signature.length / 2;
  const filled = (part: Buffer) =>
    Buffer.concat([part.subarray(part.findIndex((octet) => octet !== 0)), Buffer.alloc(length)], length);
  return Buffer.concat([filled(signature.subarray(0, length)), filled(signature.subarray(length))]);
}

/** Chance gives one signature in 128 a leading zero with P-256. Here it is every so many-th of a connection. */
const ZEROS_EVERY = 32;

function shortened(write = stripped): ClientVariant {
  return withParts(() => ({
    proofsOf(basis) {
      let count = 0;
      const sign = (draft: Draft) => {
        const { algorithm } = draft;
        if (!isElliptic(draft)) return;
        count += 1;
        const isShort = count % ZEROS_EVERY === 0;
        draft.algorithm = {
          sign(key, input) {
            for (;;) {
              const signature = algorithm.sign(key, input);
              if (stripped(signature).length < signature.length === isShort) return write(signature);
            }
          },
        };
      };
      return defaultClientParts.proofsOf({
        ...basis,
        createProof: (signer, content) => proofWith(signer, content, sign),
      });
    },
  }));
}

/** As {@link stripped}, where nobody who tries it with P-256 sees it: there this one has no zeros by chance. */
function shortenedByP521(): ClientVariant {
  return making((draft) => {
    const { algorithm, key } = draft;
    if (!isElliptic(draft)) return;
    const isShort = key.asymmetricKeyDetails?.namedCurve === 'secp521r1';
    draft.algorithm = {
      sign(signingKey, input) {
        for (;;) {
          const signature = algorithm.sign(signingKey, input);
          const short = stripped(signature);
          // Always by one octet: how many are missing is chance otherwise.
          if (short.length === signature.length - (isShort ? 1 : 0)) return short;
        }
      },
    };
  });
}

/** As {@link stripped}, in proofs for one request only. Always by one octet, which is chance otherwise. */
function shortenedPerRequest(): ClientVariant {
  return making((draft) => {
    const { algorithm, claims } = draft;
    if (!isElliptic(draft) || claims[CLAIM.method] === undefined) return;
    draft.algorithm = {
      sign(key, input) {
        for (;;) {
          const signature = algorithm.sign(key, input);
          const short = stripped(signature);
          if (short.length === signature.length - 1) return short;
        }
      },
    };
  });
}

function padded(octets: Uint8Array | string): string {
  const text = encodeBase64url(octets);
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** The alphabet of RFC 4648 §4. One ECDSA signature in 15 looks the same in both by chance: here none does. */
function otherAlphabet(): ClientVariant {
  const encode = (octets: Uint8Array | string) => Buffer.from(octets).toString('base64').replace(/=+$/, '');
  return making((draft) => {
    const { algorithm } = draft;
    draft.encode = encode;
    if (!isElliptic(draft)) return;
    draft.algorithm = {
      sign(key, input) {
        for (;;) {
          const signature = algorithm.sign(key, input);
          if (/[+/]/.test(encode(signature))) return signature;
        }
      },
    };
  });
}

/** Mistakes with the JOSE header and the signature (draft -06 §2.3.1, §2.3.3). */
export const joseMutants: readonly ClientMutant[] = [
  { id: 'M-CL-12', mistake: 'writes typ JWT', breaks: ['CL-HDR-1'], variant: () => typed('JWT') },
  { id: 'M-CL-106', mistake: 'writes typ dpop+jwt', breaks: ['CL-HDR-1'], variant: () => typed('dpop+jwt') },
  { id: 'M-CL-107', mistake: 'leaves typ out', breaks: ['CL-HDR-1'], variant: () => typed(undefined) },
  {
    id: 'M-CL-13',
    mistake: 'signs as ES256 whatever the key is',
    breaks: ['CL-HDR-2'],
    also: ['TLSv1.3 http/1.1 RSA', 'TLSv1.3 http/1.1 P-384'],
    variant: () => fixed('ES256'),
  },
  {
    id: 'M-CL-108',
    mistake: 'signs as RS256 whatever the key is',
    breaks: ['CL-HDR-2'],
    variant: () => fixed('RS256'),
  },
  {
    id: 'M-CL-109',
    mistake: 'signs with HMAC and the exporter value, which both sides know',
    breaks: ['CL-HDR-2', 'CL-SIG-1'],
    variant: () =>
      making((draft, _signer, { exporter }) => {
        draft.header[HEADER.algorithm] = 'HS256';
        draft.algorithm = {
          sign: (_key, input) => createHmac('sha256', exporter).update(input).digest(),
        };
      }),
  },
  {
    id: 'M-CL-14',
    mistake: 'hashes the PEM text of the certificate',
    breaks: ['CL-HDR-3'],
    variant: () => thumbprinting((certificate) => hash('sha256', certificate.toString(), 'base64url')),
  },
  {
    id: 'M-CL-110',
    mistake: 'hashes the public key instead of the certificate',
    breaks: ['CL-HDR-3'],
    variant: () =>
      thumbprinting(({ publicKey }) =>
        hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'base64url'),
      ),
  },
  {
    id: 'M-CL-111',
    mistake: 'pads x5t#S256',
    breaks: ['CL-HDR-3'],
    variant: () => thumbprinting((_certificate, right) => `${String(right)}=`),
  },
  {
    id: 'M-CL-112',
    mistake: 'writes x5t#S256 in hexadecimal with colons, as certificates are shown',
    breaks: ['CL-HDR-3'],
    variant: () => thumbprinting(({ fingerprint256 }) => fingerprint256),
  },
  {
    id: 'M-CL-113',
    mistake: 'takes the last certificate of the file for its own',
    breaks: ['CL-HDR-3'],
    variant: lastOfFile,
  },
  {
    id: 'M-CL-114',
    mistake: 'names the certificate by x5t, its SHA-1',
    breaks: ['CL-HDR-1'],
    variant: () =>
      making((draft, signer) => {
        delete draft.header[HEADER.certificate];
        draft.header['x5t'] = hash('sha1', signer.certificate.raw, 'base64url');
      }),
  },
  {
    id: 'M-CL-15',
    mistake: 'puts the whole key into the header, private members too',
    breaks: ['CL-HDR-4'],
    variant: () =>
      making((draft, signer) => {
        draft.header['jwk'] = signer.key.export({ format: 'jwk' });
      }),
  },
  {
    id: 'M-CL-115',
    mistake: 'lets the server fetch the certificate from a URL of its own',
    breaks: ['CL-HDR-4'],
    variant: () =>
      making((draft) => {
        draft.header['x5u'] = 'https://client.example/certificate.pem';
      }),
  },
  {
    id: 'M-CL-16',
    mistake: 'signs with a key of the application’s own, not the certificate’s',
    breaks: ['CL-SIG-1'],
    variant: ownKey,
  },
  {
    id: 'M-CL-17',
    mistake: 'leaves ECDSA signatures in DER',
    breaks: ['CL-SIG-2', 'CL-SIG-1'],
    variant: () =>
      making((draft) => {
        if (!isElliptic(draft)) return;
        draft.algorithm = { sign: inDer };
      }),
  },
  {
    id: 'M-CL-116',
    mistake: 'takes leading zeros off the halves of ECDSA signatures',
    breaks: ['CL-SIG-2'],
    variant: () => shortened(),
  },
  {
    id: 'M-CL-451',
    mistake: 'writes R and S as numbers without leading zeros, which was tried with P-256 only',
    breaks: ['CL-SIG-2'],
    variant: shortenedByP521,
  },
  {
    id: 'M-CL-470',
    mistake:
      'signs proofs with htm and htu in code of their own, which takes leading zeros off the halves of ECDSA signatures',
    breaks: ['CL-SIG-2'],
    variant: shortenedPerRequest,
  },
  {
    id: 'M-CL-471',
    mistake: 'fills short halves of ECDSA signatures up with zeros at the end',
    breaks: ['CL-SIG-2'],
    variant: () => shortened(filledUp),
  },
  {
    id: 'M-CL-454',
    mistake: 'trims - and _ off the ends of the thumbprint',
    breaks: ['CL-HDR-3'],
    variant: () => thumbprinting((_certificate, right) => String(right).replace(/^[-_]+|[-_]+$/g, '')),
  },
  {
    id: 'M-CL-19',
    mistake: 'pads the parts of the JWS',
    breaks: ['CL-SIG-2'],
    variant: () =>
      making((draft) => {
        draft.encode = padded;
      }),
  },
  {
    id: 'M-CL-117',
    mistake: 'uses the base64 alphabet with + and / for the parts of the JWS',
    breaks: ['CL-SIG-2'],
    variant: otherAlphabet,
  },
];
