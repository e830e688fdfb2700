import { webcrypto } from 'node:crypto';
import type * as X509 from '@peculiar/x509';
import {
  createAuthority,
  daysFromNow,
  defaultNotBefore,
  distinguishedName,
  loadX509,
  serialNumber,
  SIGNING_ALGORITHM,
  signerOf,
  subjectPublicKey,
} from './authority.ts';
import type { Authority, Identity } from './identity.ts';
import { generatePrivateKey, privateKeyPem, readPrivateKey } from './key-type.ts';
import type { IssuableKeyType } from './key-type.ts';
import { isOddHash } from './odd-hash.ts';
import { certificateThumbprint } from './thumbprint.ts';

export type { IssuableKeyType } from './key-type.ts';

const LEAF_DAYS = 365;

/** What a certificate is to be like. */
export interface IssueRequest {
  /** Short name shown in evidence; the common name too, unless `subject` is given. */
  readonly name: string;
  readonly keyType: IssuableKeyType;
  /** PKCS#8 PEM of a key to certify again, such as another identity's; a new key is made without it. */
  readonly key?: string;
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: in a year. */
  readonly notAfter?: Date;
  /** Default `['clientAuth']`; an empty list leaves the extension out. */
  readonly extendedKeyUsage?: readonly ('clientAuth' | 'serverAuth')[];
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly uri?: readonly string[];
  /** Attribute types (`CN`, `O`, `OU`, `C`, …, or dotted OIDs) with their values, taken literally. Default `{ CN: name }`. */
  readonly subject?: Readonly<Record<string, string>>;
  /** How many new intermediate authorities stand between the authority and the certificate; they are sent in the chain. Default 0. */
  readonly intermediates?: 0 | 1 | 2;
  /** PEM certificates to send after the chain. */
  readonly extraChain?: string;
  /** What the SHA-256 of the certificate has to be like; the serial number is chosen for it. Default: an ordinary one. */
  readonly hash?: (octets: Buffer) => boolean;
}

/** Attempts at a hash that one certificate in 256 has: all of them miss once in 10¹³ times. */
const MOST_ATTEMPTS = 8192;

/**
 * Issues an end-entity certificate. It carries subject and authority key identifiers, so that strict
 * verifiers (`openssl verify -x509_strict`) accept it.
 * @throws TypeError where `key` is not of type `keyType`.
 */
export async function issue(authority: Authority, request: IssueRequest): Promise<Identity> {
  const [x509, key, path] = await Promise.all([
    loadX509(),
    request.key === undefined
      ? generatePrivateKey(request.keyType)
      : readPrivateKey(request.key, request.keyType),
    createPath(authority, request),
  ]);
  const signer = await signerOf(path[0] ?? authority);
  const publicKey = subjectPublicKey(x509, key);
  const content = {
    subject: distinguishedName(x509, request.subject ?? { CN: request.name }),
    issuer: signer.name,
    notBefore: request.notBefore ?? defaultNotBefore(),
    notAfter: request.notAfter ?? daysFromNow(LEAF_DAYS),
    publicKey,
    signingKey: signer.key,
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
      await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey, false, webcrypto),
      ...extendedKeyUsage(x509, request),
      ...alternativeNames(x509, request),
    ],
  };
  const make = async (): Promise<string> => {
    const certificate = await x509.X509CertificateGenerator.create(
      { ...content, serialNumber: serialNumber() },
      webcrypto,
    );
    return `${certificate.toString('pem')}\n`;
  };
  const pem = await fitting(make, request.hash);
  return {
    name: request.name,
    keyType: request.keyType,
    certificate: pem,
    chain: [pem, ...path.map((each) => each.certificate), request.extraChain ?? ''].join(''),
    privateKey: privateKeyPem(key),
    thumbprint: certificateThumbprint(pem),
  };
}

/** Makes certificates until one has a hash as asked for. */
async function fitting(make: () => Promise<string>, fits: IssueRequest['hash']): Promise<string> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const pem = await make();
    const hash = certificateThumbprint(pem);
    if (fits === undefined ? !isOddHash(hash) : fits(Buffer.from(hash, 'base64url'))) return pem;
  }
  throw new Error(`no certificate with such a hash was made in ${MOST_ATTEMPTS} attempts`);
}

/** The new intermediate authorities, the one that issues first: the order in which they are sent (RFC 8446 §4.4.2). */
async function createPath(authority: Authority, request: IssueRequest): Promise<readonly Authority[]> {
  let path: readonly Authority[] = [];
  for (let level = 1; level <= (request.intermediates ?? 0); level += 1) {
    path = [await createAuthority(`${authority.name} intermediate ${level}`, path[0] ?? authority), ...path];
  }
  return path;
}

function extendedKeyUsage(x509: typeof X509, request: IssueRequest): X509.Extension[] {
  const usages = request.extendedKeyUsage ?? ['clientAuth'];
  if (usages.length === 0) return [];
  return [new x509.ExtendedKeyUsageExtension(usages.map((usage) => x509.ExtendedKeyUsage[usage]))];
}

function alternativeNames(x509: typeof X509, request: IssueRequest): X509.Extension[] {
  const names: X509.JsonGeneralNames = [
    ...(request.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ip ?? []).map((value) => ({ type: 'ip' as const, value })),
    ...(request.uri ?? []).map((value) => ({ type: 'url' as const, value })),
  ];
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
}
