import { createPrivateKey } from 'node:crypto';
import type { Identity } from './identity.ts';
import { privateKeyPem } from './key-type.ts';
import { certificateThumbprint } from './thumbprint.ts';

/**
 * A self-signed certificate (P-256, SHA-256, valid for a year) for both TLS ends: an untrusted client, or a server that
 * only watches whether anybody calls (names `localhost`, 127.0.0.1 and ::1).
 * @param name letters, digits, `.`, `_`, `-` and spaces; becomes the common name.
 * @throws TypeError for other names, since the generator takes `,` and `=` in them as syntax.
 */
export async function selfSigned(name: string): Promise<Identity> {
  if (!/^[\w. -]+$/.test(name)) {
    throw new TypeError(
      `name: ${JSON.stringify(name)} may hold only letters, digits, ".", "_", "-" and spaces`,
    );
  }
  // Loaded on first use: few runs need it, and it is slow to load.
  const { generate } = await import('selfsigned');
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', clientAuth: true, serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  const certificate = `${made.cert.trim().replaceAll('\r\n', '\n')}\n`;
  return {
    name,
    keyType: 'P-256',
    certificate,
    chain: certificate,
    privateKey: privateKeyPem(createPrivateKey(made.private)),
    thumbprint: certificateThumbprint(certificate),
  };
}
