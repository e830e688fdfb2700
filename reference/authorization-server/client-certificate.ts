import type { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { KoaContextWithOIDC, TLSClientAuthProperty } from 'oidc-provider';
import { thumbprint } from '../proof/encoding.ts';
import { isSubject } from './distinguished-name.ts';

/** The end-entity certificate that a client presented on the connection of its request. */
export interface ClientCertificate {
  readonly x509: X509Certificate;
  /** `x5t#S256` */
  readonly thumbprint: string;
  /** Whether the chain led to a trust anchor, for client authentication. */
  readonly verified: boolean;
}

/**
 * The certificate of a request, from this server's own TLS and from nowhere else: header fields are the client's to
 * write. On a resumed connection it is the one of the session's first handshake.
 *
 * Source: draft -06 §2.4, §3.1 step 1.
 */
export function certificateOf({ socket }: KoaContextWithOIDC): ClientCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const x509 = socket.getPeerX509Certificate();
  return x509 && { x509, thumbprint: thumbprint(x509.raw), verified: socket.authorized };
}

/** The alternative names of one kind, as Node lists them. A name that had to be quoted matches nothing. */
function alternativeNames({ subjectAltName }: X509Certificate, kind: string): readonly string[] {
  const names = subjectAltName?.split(', ') ?? [];
  return names.filter((name) => name.startsWith(`${kind}:`)).map((name) => name.slice(kind.length + 1));
}

/**
 * Whether a certificate is the one that a client registered for `tls_client_auth`.
 *
 * @param property the client metadata member with the expected name
 *
 * Source: RFC 8705 §2.1.2.
 */
export function subjectMatches(
  certificate: X509Certificate,
  property: TLSClientAuthProperty,
  expected: string,
): boolean {
  switch (property) {
    case 'tls_client_auth_subject_dn':
      return isSubject(certificate.subject, expected);
    case 'tls_client_auth_san_dns':
      return alternativeNames(certificate, 'DNS').some(
        (name) => name.toLowerCase() === expected.toLowerCase(),
      );
    case 'tls_client_auth_san_uri':
      return alternativeNames(certificate, 'URI').includes(expected);
    case 'tls_client_auth_san_ip':
      return certificate.checkIP(expected) !== undefined;
    case 'tls_client_auth_san_email':
      return certificate.checkEmail(expected, { subject: 'never' }) !== undefined;
  }
}
