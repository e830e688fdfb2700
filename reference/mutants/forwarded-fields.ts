import { X509Certificate } from 'node:crypto';
import { thumbprint } from '../proof/encoding.ts';
import type { PeerCertificate } from '../resource-server/connection.ts';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { answer } from '../resource-server/protect.ts';
import { discardBody } from '../resource-server/request-body.ts';
import { withConnections } from './connections.ts';
import type { Mutant } from './mutant.ts';

function fieldOf(request: HttpRequest, name: string): string | undefined {
  return fieldValues(request, name)[0];
}

/** The certificate that a request tells in `Client-Cert` (RFC 9440) or `X-SSL-Client-Cert`. */
function forwardedCertificate(request: HttpRequest): PeerCertificate | undefined {
  const structured = fieldOf(request, 'client-cert')?.replaceAll(':', '');
  const escaped = fieldOf(request, 'x-ssl-client-cert');
  if (structured === undefined && escaped === undefined) return undefined;
  const certificate = new X509Certificate(
    structured === undefined ? decodeURIComponent(escaped ?? '') : Buffer.from(structured, 'base64'),
  );
  const { raw, publicKey, validFromDate, validToDate } = certificate;
  return {
    thumbprint: thumbprint(raw),
    publicKey,
    verified: true,
    notBefore: validFromDate.getTime(),
    notAfter: validToDate.getTime(),
  };
}

/** Mistakes with fields that a terminating proxy would set (draft -06 §5.1, §5.2). */
export const forwardedFieldsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-38',
    mistake: 'takes the exporter value from the field TLS-Exporter, as draft -04 had it',
    breaks: ['RS-FWD-1'],
    variant: () =>
      withConnections((connection, request) => {
        const told = fieldOf(request, 'tls-exporter')?.replaceAll(':', '');
        return told === undefined ? connection : { ...connection, exporter: Buffer.from(told, 'base64') };
      }),
  },
  {
    id: 'M-RS-39',
    mistake: 'takes the client certificate from Client-Cert or X-SSL-Client-Cert where the client sends it',
    breaks: ['RS-MTLS-9'],
    variant: () =>
      withConnections((connection, request) => {
        const certificate = forwardedCertificate(request);
        return certificate === undefined ? connection : { ...connection, certificate };
      }),
  },
  {
    id: 'M-RS-108',
    mistake: 'passes the result of the verification on in a field that the client can write too',
    breaks: ['RS-FWD-2', 'RS-FWD-3'],
    variant: () => ({
      listener: (inner) => (request, response) => {
        if (fieldOf(request, 'x-session-binding-verified') !== 'true') return inner(request, response);
        answer(response, 200, JSON.stringify({ sub: fieldOf(request, 'x-authenticated-user') ?? 'alice' }));
        discardBody(request);
      },
    }),
  },
  {
    id: 'M-RS-139',
    mistake: 'takes the exporter value from an ad-hoc field X-EKM',
    breaks: ['RS-FWD-2'],
    variant: () =>
      withConnections((connection, request) => {
        const told = fieldOf(request, 'x-ekm');
        return told === undefined ? connection : { ...connection, exporter: Buffer.from(told, 'base64url') };
      }),
  },
];
