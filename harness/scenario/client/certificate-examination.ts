import { createHash } from 'node:crypto';
import type { KeyObject, X509Certificate } from 'node:crypto';
import { signatureVerifies } from '../../forge/read.ts';
import { isRecord, text } from './defect.ts';
import type { Circumstances, Defect, Json } from './defect.ts';

/** What of a proof depends on the client's certificate and key: its header, and its signature (draft -06 §2.3.1, §2.3.3). */

const TYPE = 'tls-binding-proof+jwt';

/** Leading zero octets that a signature may have lost by chance. */
const MOST_ZEROS = 6;

/** Private or symmetric members of a JWK (RFC 7518 §6). */
export const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** Holds a proof's header against the certificate of its connection. */
export function examineHeader(header: Json, { connection }: Circumstances): readonly Defect[] {
  const [certificate] = connection.clientChain;
  const defects: Defect[] = [];
  if (header['typ'] !== TYPE)
    defects.push({
      aspect: 'typ',
      what: `typ is ${text(header['typ'])}`,
      cure: `Set typ to ${TYPE} (draft -06 §2.3.1), so that no other JWT passes for a proof.`,
    });
  const suitable = certificate === undefined ? [] : algorithmsFor(certificate.publicKey);
  if (certificate !== undefined && !suitable.some((algorithm) => algorithm === header['alg']))
    defects.push({
      aspect: 'alg',
      what: `alg is ${text(header['alg'])}, and the certificate's key is ${keyText(certificate.publicKey)}`,
      cure: `Derive alg from the certificate's key: here ${suitable.join(' or ') || 'none is known'}.`,
    });
  const thumbprint = certificate === undefined ? undefined : thumbprintOf(certificate.raw);
  if (thumbprint !== undefined && header['x5t#S256'] !== thumbprint)
    defects.push({
      aspect: 'thumbprint',
      what: `x5t#S256 is ${text(header['x5t#S256'])}, and the certificate's thumbprint is ${thumbprint}`,
      cure: wrongThumbprint(header['x5t#S256'], connection.clientChain),
    });
  const jwk = header['jwk'];
  const secret = PRIVATE_MEMBERS.filter(
    (member) => Object.hasOwn(header, member) || (isRecord(jwk) && Object.hasOwn(jwk, member)),
  );
  if (secret.length > 0)
    defects.push({
      aspect: 'disclosure',
      what: `the header holds ${secret.join(', ')}: members of a private key`,
      cure: 'Leave the key out of the header; x5t#S256 says whose it is. Replace this key: it is no secret any more.',
    });
  return defects;
}

/** Holds a proof's signature against the key of that certificate, and names the key that it is by, where it is known. */
export function examineSignature(
  proof: string,
  header: Json,
  { connection, others }: Circumstances,
): readonly Defect[] {
  const [certificate] = connection.clientChain;
  if (certificate === undefined)
    return [
      {
        aspect: 'signature',
        what: 'the proof came on a connection without a client certificate, so that no key verifies it',
        cure: 'Make proofs only on connections on which the client certificate was presented.',
      },
    ];
  if (signatureVerifies(proof, certificate.publicKey)) return [];
  const earlier = others.find(
    ({ clientChain: [other] }) => other !== undefined && signatureVerifies(proof, other.publicKey),
  );
  const signature = Buffer.from(proof.split('.')[2] ?? '', 'base64url');
  const scalar = SCALARS[certificate.publicKey.asymmetricKeyDetails?.namedCurve ?? ''];
  const isEcdsa = typeof header['alg'] === 'string' && header['alg'].startsWith('ES');
  if (isEcdsa && earlier === undefined && scalar !== undefined && signature.length !== 2 * scalar) {
    const form: Defect = {
      aspect: 'form',
      what: `the ECDSA signature has ${signature.length} octets, and must have ${2 * scalar}`,
      cure:
        signature[0] === 0x30
          ? 'The signature is in DER. JWS wants R and S, each at its full length, one after the other (RFC 7518 §3.4).'
          : 'R and S each keep their full length, leading zeros too (RFC 7518 §3.4).',
    };
    // Where a few octets are missing, it may well be made with the right key.
    const shortened = signature.length < 2 * scalar && signature.length >= 2 * scalar - MOST_ZEROS;
    return shortened ? [form] : [form, { ...form, aspect: 'signature' }];
  }
  if (isEcdsa && earlier === undefined && scalar !== undefined && isMispadded(proof, certificate, scalar))
    return [
      {
        aspect: 'form',
        what: 'the ECDSA signature verifies once a zero octet is moved: R or S is padded in the wrong place',
        cure: 'R and S each keep their full length, with their zero octets in front (RFC 7518 §3.4).',
      },
    ];
  return [
    {
      aspect: 'signature',
      what: `the signature (${text(header['alg'])}) does not verify with the key of the connection's certificate`,
      cure:
        earlier === undefined
          ? 'Sign with the private key of the certificate that was presented in the handshake of the connection (draft -06 §2.3.3).'
          : `The key is that of the certificate on connection ${earlier.id}: a connection keeps the key that it was opened with.`,
    },
  ];
}

/**
 * Whether an ECDSA signature has a zero octet behind R or S, or before both, instead of before the one that is short: it
 * is of the right length, and by the right key.
 */
function isMispadded(proof: string, { publicKey }: X509Certificate, scalar: number): boolean {
  const [header, claims, part] = proof.split('.');
  const signature = Buffer.from(part ?? '', 'base64url');
  return [0, scalar - 1, 2 * scalar - 1].some((from) => {
    if (signature[from] !== 0) return false;
    const rest = Buffer.concat([signature.subarray(0, from), signature.subarray(from + 1)]);
    return [0, scalar].some((to) => {
      const moved = Buffer.concat([rest.subarray(0, to), Buffer.of(0), rest.subarray(to)]);
      return signatureVerifies(`${header}.${claims}.${moved.toString('base64url')}`, publicKey);
    });
  });
}

/** Octets of R and of S, by Node's names for the curves. */
const SCALARS: Readonly<Record<string, number>> = { prime256v1: 32, secp384r1: 48, secp521r1: 66 };

const EC_ALGORITHMS: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/** Signature algorithms that fit a public key (RFC 7518 §3.1, RFC 8037, RFC 9864). */
export function algorithmsFor(key: KeyObject): readonly string[] {
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const algorithm = EC_ALGORITHMS[key.asymmetricKeyDetails?.namedCurve ?? ''];
      return algorithm === undefined ? [] : [algorithm];
    }
    case 'rsa':
      return ['RS256', 'PS256', 'RS384', 'RS512', 'PS384', 'PS512'];
    case 'rsa-pss':
      return ['PS256', 'PS384', 'PS512'];
    case 'ed25519':
      return ['EdDSA', 'Ed25519'];
    default:
      return [];
  }
}

function keyText(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return curve === undefined ? (key.asymmetricKeyType ?? 'of an unknown type') : `on the curve ${curve}`;
}

/** SHA-256 of octets, as thumbprints are written. */
export function thumbprintOf(
  octets: Uint8Array | string,
  encoding: 'base64url' | 'base64' | 'hex' = 'base64url',
): string {
  return createHash('sha256').update(octets).digest(encoding);
}

/** The likely mistake behind a wrong thumbprint. */
function wrongThumbprint(claim: unknown, [leaf, ...authorities]: readonly X509Certificate[]): string {
  const right = 'unpadded base64url of the SHA-256 over the whole DER of the certificate that is presented';
  if (claim === undefined) return `Put x5t#S256 into the header: ${right} (draft -06 §2.3.1).`;
  if (leaf === undefined) return right;
  const pem = leaf.toString();
  const suspicions: readonly (readonly [what: string, value: string])[] = [
    ['hexadecimal text', thumbprintOf(leaf.raw, 'hex')],
    ['hexadecimal text', thumbprintOf(leaf.raw, 'hex').toUpperCase()],
    ['standard base64', thumbprintOf(leaf.raw, 'base64')],
    ['padded', `${thumbprintOf(leaf.raw)}=`],
    ['the hash of the PEM text', thumbprintOf(pem)],
    ['the hash of the PEM text', thumbprintOf(pem.trim())],
    ['the hash of the public key', thumbprintOf(leaf.publicKey.export({ type: 'spki', format: 'der' }))],
    ...authorities.map(({ raw }) => ['of a certificate further up the chain', thumbprintOf(raw)] as const),
  ];
  const found = suspicions.find(([, value]) => value === claim);
  return `${found === undefined ? '' : `It is ${found[0]}. `}It has to be ${right} (RFC 8705 §3.1).`;
}
