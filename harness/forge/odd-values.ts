/** Valid values with a rare shape, made on purpose: code that goes wrong with one in n goes wrong with each of these. */
import { isOddHash } from '../../certs/odd-hash.ts';
import { SCALAR_LENGTH } from './ecdsa-signature.ts';
import type { Curve } from './ecdsa-signature.ts';
import { keyMaterial } from './keys.ts';
import type { SigningKey } from './keys.ts';
import { signer } from './jws.ts';
import { ath } from './read.ts';
import type { TokenRequest } from './token.ts';

/** Attempts at a shape that one value in 256 has: all of them miss once in 10¹³ times. */
const MOST_ATTEMPTS = 8192;

/** A rare shape of octets, and of their text. */
export interface Shape {
  /** Reads on after "the signature" or "the hash". */
  readonly what: string;
  readonly fits: (octets: Buffer) => boolean;
}

/** Shapes of the signatures that a key type makes: about one in 256 has the rarest of them. */
export function signatureShapes(keyType: string): readonly Shape[] {
  if (!isCurve(keyType))
    return keyType === 'RSA' ? [{ what: 'begins with a zero octet', fits: ([first]) => first === 0 }] : [];
  const half = SCALAR_LENGTH[keyType];
  const text = {
    what: 'begins with - or _ as text',
    fits: (octets: Buffer) => octets[0] !== undefined && octets[0] >= 0xf8,
  };
  const zeros = [
    { what: 'has an R that begins with a zero octet', fits: (octets: Buffer) => octets[0] === 0 },
    { what: 'has an S that begins with a zero octet', fits: (octets: Buffer) => octets[half] === 0 },
  ];
  // R and S of P-521 have 521 bits: their first octet is 0 or 1.
  if (keyType === 'P-521')
    return [
      ...zeros,
      {
        what: 'has an R and an S that begin with a zero octet',
        fits: (octets) => octets[0] === 0 && octets[half] === 0,
      },
    ];
  return [{ what: 'begins with 0x30, as DER does', fits: ([first]) => first === 0x30 }, ...zeros, text];
}

function isCurve(keyType: string): keyType is Curve {
  return Object.hasOwn(SCALAR_LENGTH, keyType);
}

/**
 * Makes a valid signature of a shape, for {@link JwtChange.signature}: signs again until one has it. ECDSA and RSASSA-PSS
 * make another signature each time.
 *
 * @throws {Error} if the algorithm makes none of that shape
 */
export function shapedSignature(
  key: SigningKey,
  algorithm: string,
  { what, fits }: Shape,
): (right: Buffer, signingInput: Buffer) => Buffer {
  const sign = signer(algorithm, keyMaterial(key), { ordinary: false });
  return (_right, signingInput) => {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const signature = sign(signingInput);
      if (fits(signature)) return signature;
    }
    throw new Error(`${algorithm} made no signature that ${what} in ${MOST_ATTEMPTS} attempts`);
  };
}

/** Shapes of a SHA-256 hash that careless encoding, decoding or comparison changes; each has one of them alone. */
export const HASH_SHAPES = {
  minus: {
    what: 'begins with -',
    fits: (octets: Buffer) => (octets[0] ?? 0) >> 2 === 62 && !octets.includes(0),
  },
  underscore: {
    what: 'begins with _',
    fits: (octets: Buffer) => (octets[0] ?? 0) >> 2 === 63 && !octets.includes(0),
  },
  zeroFirst: { what: 'begins with a zero octet', fits: ([first]: Buffer) => first === 0 },
  zeroThird: {
    what: 'has a zero octet after two others',
    fits: (octets: Buffer) => (octets[0] ?? 0) < 0xf8 && octets.indexOf(0) === 2,
  },
} as const satisfies Readonly<Record<string, Shape>>;

/** How a token is made whose hash, and with it the `ath` of its proofs, has a shape. */
export function tokenWithHash(issuerKey: SigningKey, { what, fits }: Shape): Pick<TokenRequest, 'signature'> {
  const sign = signer('ES256', keyMaterial(issuerKey));
  return {
    signature(_right, signingInput) {
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        const signature = sign(signingInput);
        const hash = ath(`${signingInput.toString()}.${signature.toString('base64url')}`);
        if (fits(Buffer.from(hash, 'base64url'))) return signature;
      }
      throw new Error(`no token was made whose hash ${what} in ${MOST_ATTEMPTS} attempts`);
    },
  };
}

/** A token's text whose hash has none of the rare shapes: those are for scenarios that are about them. */
export function ordinary(text: () => string): string {
  for (;;) {
    const token = text();
    if (!isOddHash(ath(token))) return token;
  }
}

/** The same octets up to the first zero octet, zero included, and others after it: equal for who compares C strings. */
export function sameAsCString(text: string): string {
  const octets = Buffer.from(text, 'base64url');
  const zero = octets.indexOf(0);
  return Buffer.from(octets.map((octet, at) => (zero >= 0 && at > zero ? octet ^ 0xff : octet))).toString(
    'base64url',
  );
}
