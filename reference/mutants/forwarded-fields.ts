import { AsyncLocalStorage } from 'node:async_hooks';
import { X509Certificate } from 'node:crypto';
import { thumbprint } from '../proof/encoding.ts';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import type { PeerCertificate, TlsConnection } from '../resource-server/connection.ts';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { answer } from '../resource-server/protect.ts';
import { discardBody } from '../resource-server/request-body.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { withConnections } from './connections.ts';
import type { Mutant } from './mutant.ts';
import { PROOF_CHECKS, skipping } from './skipped-checks.ts';

function fieldOf(request: HttpRequest, name: string): string | undefined {
  return fieldValues(request, name)[0];
}

/** The certificate that a request tells in any of the fields that proxies use for it. */
function forwardedCertificate(request: HttpRequest): PeerCertificate | undefined {
  const base64 = ['client-cert', 'x-client-cert', 'x-arr-clientcert']
    .map((name) => fieldOf(request, name))
    .find((value) => value !== undefined);
  const escaped =
    /Cert="([^"]*)"/.exec(fieldOf(request, 'x-forwarded-client-cert') ?? '')?.[1] ??
    fieldOf(request, 'x-ssl-client-cert') ??
    fieldOf(request, 'ssl-client-cert');
  if (base64 === undefined && escaped === undefined) return undefined;
  const certificate = new X509Certificate(
    base64 === undefined
      ? decodeURIComponent(escaped ?? '')
      : Buffer.from(base64.replaceAll(':', ''), 'base64'),
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

/** The thumbprint of the certificate that a request tells, or that it tells itself. */
function forwardedThumbprint(request: HttpRequest): string | undefined {
  return forwardedCertificate(request)?.thumbprint ?? fieldOf(request, 'x-client-cert-thumbprint');
}

/** Keeps each certificate that it has seen, and takes the one whose thumbprint a field tells. */
function looksCertificatesUp(): TargetVariant {
  const seen = new Map<string, PeerCertificate>();
  return withConnections((connection, request) => {
    const { certificate } = connection;
    if (certificate !== undefined) seen.set(certificate.thumbprint, certificate);
    const told = fieldOf(request, 'x-client-cert-thumbprint');
    return { ...connection, certificate: seen.get(told ?? '') ?? certificate };
  });
}

/** Keeps each connection that it has seen, and takes the one whose exporter value the field tells. */
function looksConnectionsUp(): TargetVariant {
  const seen = new Map<string, TlsConnection>();
  return withConnections((connection, request) => {
    seen.set(Buffer.from(connection.exporter).toString('base64'), connection);
    return seen.get(fieldOf(request, 'tls-exporter')?.replaceAll(':', '') ?? '') ?? connection;
  });
}

/** An application that takes the subject from a field where the request has it. */
function takesSubjectFrom(names: readonly string[]): TargetVariant {
  const told = new AsyncLocalStorage<string | undefined>();
  return {
    parts: ({ validateToken }) => ({
      async validateToken(token, now) {
        const grant = await validateToken(token, now);
        return grant && { ...grant, subject: told.getStore() ?? grant.subject };
      },
    }),
    listener: (inner) => (request, response) => {
      const subject = names.map((name) => fieldOf(request, name)).find((value) => value !== undefined);
      told.run(subject, () => inner(request, response));
    },
  };
}

/** The fields in which some proxy tells the exporter value. */
const EXPORTER_FIELDS: readonly string[] = [
  'x-ekm',
  'x-tls-ekm',
  'x-tls-exporter',
  'x-forwarded-tls-exporter',
  'x-tls-unique',
  'x-channel-binding',
  'sec-token-binding',
];

/** The fields in which some proxy tells that it has verified proof or certificate. */
const VERDICT_FIELDS: readonly string[] = [
  'x-session-binding-verified',
  'x-session-bound',
  'x-tls-session-bound',
  'x-proof-verified',
  'x-verified',
  'x-client-verified',
  'x-ssl-client-verify',
  'ssl-client-verify',
  'x-auth-verified',
  'x-client-thumbprint',
];

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
    mistake:
      'takes the client certificate from Client-Cert, X-SSL-Client-Cert and their like where the client sends it',
    breaks: ['RS-MTLS-9'],
    variant: () =>
      withConnections((connection, request) => {
        const certificate = forwardedCertificate(request);
        return certificate === undefined ? connection : { ...connection, certificate };
      }),
  },
  {
    id: 'M-RS-108',
    mistake: 'takes the result of a verification from fields that the client can write too',
    breaks: ['RS-FWD-2', 'RS-FWD-3'],
    variant: () => ({
      listener: (inner) => (request, response) => {
        if (VERDICT_FIELDS.every((name) => fieldOf(request, name) === undefined))
          return inner(request, response);
        answer(response, 200, JSON.stringify({ sub: fieldOf(request, 'x-authenticated-user') ?? 'alice' }));
        discardBody(request);
      },
    }),
  },
  {
    id: 'M-RS-139',
    mistake: 'takes the exporter value from ad-hoc fields such as X-EKM',
    breaks: ['RS-FWD-2'],
    variant: () =>
      withConnections((connection, request) => {
        const told = EXPORTER_FIELDS.map((name) => fieldOf(request, name)).find(
          (value) => value !== undefined,
        );
        return told === undefined ? connection : { ...connection, exporter: Buffer.from(told, 'base64url') };
      }),
  },
  {
    id: 'M-RS-347',
    mistake:
      'tells the application in X-Verified-Subject who is calling, and lets that field through from clients',
    breaks: ['RS-FWD-3'],
    identityFields: ['X-Verified-Subject'],
    variant: () => takesSubjectFrom(['x-verified-subject']),
  },
  {
    id: 'M-RS-348',
    mistake:
      'removes X-Verified-Subject from what clients send, and its application takes X_Verified_Subject for the same name',
    breaks: ['RS-FWD-3'],
    identityFields: ['X-Verified-Subject'],
    variant: () => takesSubjectFrom(['x_verified_subject']),
  },
  {
    id: 'M-RS-410',
    mistake:
      'takes a request that names a subject in X-Verified-Subject, with _ for - or not, for one that it has verified itself',
    breaks: ['RS-FWD-3'],
    identityFields: ['X-Verified-Subject'],
    variant: () =>
      skipping(PROOF_CHECKS, ({ request }) =>
        ['x-verified-subject', 'x_verified_subject'].some((name) => fieldOf(request, name) !== undefined),
      ),
  },
  {
    id: 'M-RS-320',
    mistake:
      'compares the token with the certificate that a field tells, and the proof with that of the connection',
    breaks: ['RS-MTLS-9'],
    variant: () => {
      const { run } = defaultPresentationChecks.get('certificate-thumbprint');
      return {
        parts: () => ({
          checks: defaultPresentationChecks.with('certificate-thumbprint', (presentation, parts) => {
            const told = forwardedThumbprint(presentation.request);
            const { confirmation } = presentation;
            return told !== undefined && 'thumbprint' in confirmation && confirmation.thumbprint === told
              ? undefined
              : run(presentation, parts);
          }),
        }),
      };
    },
  },
  {
    id: 'M-RS-321',
    mistake: 'takes the client certificate from its memory, under the thumbprint that a field tells',
    breaks: ['RS-MTLS-9'],
    variant: looksCertificatesUp,
  },
  {
    id: 'M-RS-322',
    mistake: 'takes exporter value and certificate from its memory, under the value that TLS-Exporter tells',
    breaks: ['RS-FWD-1'],
    variant: looksConnectionsUp,
  },
];
