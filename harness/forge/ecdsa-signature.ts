/** ECDSA signatures as octets: the JWS form (RFC 7518 §3.4), and forms that are none. */

/** Curves of the suite's EC keys. */
export type Curve = 'P-256' | 'P-384' | 'P-521';

/** Octets of a coordinate, and thus of `r` and of `s` in the JWS form. */
export const SCALAR_LENGTH: Readonly<Record<Curve, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 };

/** The order `n` of the curve's base point (SEC 2 §2.4.2, §2.5.1, §2.6.1). */
export const ORDER: Readonly<Record<Curve, bigint>> = {
  'P-256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  'P-384':
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  'P-521':
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
};

/** `r` and `s` of a signature in the JWS form. */
export function scalars(signature: Uint8Array): readonly [r: bigint, s: bigint] {
  const half = signature.byteLength / 2;
  const hex = Buffer.from(signature).toString('hex');
  return [BigInt(`0x0${hex.slice(0, half * 2)}`), BigInt(`0x0${hex.slice(half * 2)}`)];
}

/** `r` and `s` side by side, `length` octets each, whether or not they are in range. */
function fromScalars(r: bigint, s: bigint, length: number): Buffer {
  const hex = (value: bigint): string => value.toString(16).padStart(length * 2, '0');
  return Buffer.from(hex(r) + hex(s), 'hex');
}

/** The DER form that X.509 and TLS use: `SEQUENCE { r INTEGER, s INTEGER }`. */
export function derSignature(signature: Uint8Array): Buffer {
  const integers = scalars(signature).map((value) => {
    const hex = value.toString(16);
    const even = hex.length % 2 === 0 ? hex : `0${hex}`;
    const octets = Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex');
    return Buffer.concat([Buffer.from([0x02, octets.length]), octets]);
  });
  const body = Buffer.concat(integers);
  // A P-521 signature needs the long form of the length.
  const length = body.length < 0x80 ? [body.length] : [0x81, body.length];
  return Buffer.concat([Buffer.from([0x30, ...length]), body]);
}

/** The JWS form of a signature in DER, `length` octets for each scalar. */
export function jwsSignature(der: Buffer, length: number): Buffer {
  const signature = Buffer.alloc(2 * length);
  let at = (der[1] ?? 0) < 0x80 ? 2 : 3;
  for (const end of [length, 2 * length]) {
    const after = at + 2 + (der[at + 1] ?? 0);
    // A sign octet of zero, where there is one, lies before the scalar's own.
    const from = Math.max(at + 2, after - length);
    der.copy(signature, end - (after - from), from, after);
    at = after;
  }
  return signature;
}

/** The other signature that verifies just as well: `s` replaced by `n − s`, so that one of the two is "high". */
export function negatedS(signature: Uint8Array, curve: Curve): Buffer {
  const [r, s] = scalars(signature);
  return fromScalars(r, ORDER[curve] - s, SCALAR_LENGTH[curve]);
}

/** The high-s variant of a signature (`s` above `n/2`); the signature itself where it is high already, see {@link negatedS}. */
export function highS(signature: Uint8Array, curve: Curve): Buffer {
  const [, s] = scalars(signature);
  return s * 2n > ORDER[curve] ? Buffer.from(signature) : negatedS(signature, curve);
}

/** `r = s = 0`: what verifiers that skip the range check take for valid under any key. */
export function zeroSignature(curve: Curve): Buffer {
  return Buffer.alloc(SCALAR_LENGTH[curve] * 2);
}

/** `r = 0, s = n`. */
export function zeroAndOrder(curve: Curve): Buffer {
  return fromScalars(0n, ORDER[curve], SCALAR_LENGTH[curve]);
}

/** The same `r` and `s`, each padded to `length` octets, such as that of a larger curve. */
export function padded(signature: Uint8Array, length: number): Buffer {
  const [r, s] = scalars(signature);
  return fromScalars(r, s, length);
}
