import { X509Certificate } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import type { Form } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import type { Field } from '../../harness/wire/connection.ts';

/** Fields by which proxies tell the certificate of a client: RFC 9440, Envoy, nginx, Apache, Azure. */
export function certificateFields({ name, certificate, thumbprint }: Identity): readonly Field[] {
  const base64 = new X509Certificate(certificate).raw.toString('base64');
  const escaped = encodeURIComponent(certificate);
  const hex = Buffer.from(thumbprint, 'base64url').toString('hex');
  return [
    ['Client-Cert', `:${base64}:`],
    ['X-Forwarded-Client-Cert', `Hash=${hex};Cert="${escaped}";Subject="CN=${name}"`],
    ['X-SSL-Client-Cert', escaped],
    ['X-Client-Cert', base64],
    ['Ssl-Client-Cert', escaped],
    ['X-ARR-ClientCert', base64],
    ['X-Client-Cert-Thumbprint', thumbprint],
  ];
}

/** Parameters by which a client might name a certificate itself; none is defined. */
export function certificateParameters({ certificate, thumbprint }: Identity): readonly Form[] {
  const base64 = new X509Certificate(certificate).raw.toString('base64');
  return [
    { 'x5t#S256': thumbprint },
    { cnf: JSON.stringify({ 'x5t#S256': thumbprint }) },
    { req_cnf: Buffer.from(JSON.stringify({ 'x5t#S256': thumbprint })).toString('base64url') },
    { client_certificate: base64 },
  ];
}
