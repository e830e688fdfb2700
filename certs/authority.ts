import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type * as X509 from '@peculiar/x509';
import type { Authority } from './identity.ts';
import { generatePrivateKey, privateKeyPem } from './key-type.ts';

const DAY = 86_400_000;
/** How far back certificates are valid, so that a target whose clock is behind accepts them. */
const BACKDATED = 3_600_000;
const AUTHORITY_DAYS = 730;

export const SIGNING_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' };

/** An authority made ready to sign with. */
export interface Signer {
  readonly key: webcrypto.CryptoKey;
  readonly name: X509.Name;
  readonly publicKey: X509.PublicKey;
}

const signers = new Map<string, Promise<Signer>>();
let library: Promise<typeof X509> | undefined;

/** The X.509 library, loaded on first use: a run that finds its PKI in the store never pays for it. */
export function loadX509(): Promise<typeof X509> {
  library ??= import('@peculiar/x509');
  return library;
}

/** One relative distinguished name per value, in order, each as UTF8String so that nothing in a value is syntax. */
export function distinguishedName(
  x509: typeof X509,
  attributes: Readonly<Record<string, string>>,
): X509.Name {
  return new x509.Name(
    Object.entries(attributes).map(([type, value]) => ({
      [type]: [type === 'C' ? { printableString: value } : { utf8String: value }],
    })),
  );
}

/** A positive serial number of 16 octets, hexadecimal (RFC 5280 §4.1.2.2). */
export function serialNumber(): string {
  const octets = randomBytes(16);
  octets[0] = (octets.readUInt8(0) & 0x3f) | 0x40;
  return octets.toString('hex');
}

export function defaultNotBefore(): Date {
  return new Date(Date.now() - BACKDATED);
}

export function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY);
}

/** SubjectPublicKeyInfo as the X.509 library takes it: raw, so that key kinds which WebCrypto lacks work too. */
export function subjectPublicKey(x509: typeof X509, privateKey: KeyObject): X509.PublicKey {
  return new x509.PublicKey(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
}

/** Prepares an authority for signing; the work is done once per authority and process. */
export function signerOf(authority: Authority): Promise<Signer> {
  let signer = signers.get(authority.certificate);
  if (signer === undefined) {
    signer = prepare(authority);
    signers.set(authority.certificate, signer);
  }
  return signer;
}

async function prepare(authority: Authority): Promise<Signer> {
  const x509 = await loadX509();
  const certificate = new x509.X509Certificate(authority.certificate);
  return {
    key: await importSigningKey(createPrivateKey(authority.privateKey)),
    name: certificate.subjectName,
    publicKey: certificate.publicKey,
  };
}

function importSigningKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const der = key.export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
}

/**
 * Makes a certification authority (P-256, ECDSA with SHA-256, valid for two years): a root of its own,
 * or below `parent` where one is given. Carries subject and authority key identifiers, which strict
 * verifiers ask for (RFC 5280 §4.2.1.1, §4.2.1.2).
 */
export async function createAuthority(name: string, parent?: Authority): Promise<Authority> {
  const [x509, key] = await Promise.all([loadX509(), generatePrivateKey('P-256')]);
  const publicKey = subjectPublicKey(x509, key);
  const subject = distinguishedName(x509, { CN: name, O: 'tsbt' });
  const signer = parent === undefined ? undefined : await signerOf(parent);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject,
      issuer: signer?.name ?? subject,
      notBefore: defaultNotBefore(),
      notAfter: daysFromNow(AUTHORITY_DAYS),
      publicKey,
      signingKey: signer?.key ?? (await importSigningKey(key)),
      signingAlgorithm: SIGNING_ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(signer?.publicKey ?? publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { name, certificate: `${certificate.toString('pem')}\n`, privateKey: privateKeyPem(key) };
}
