import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';
import { thumbprint } from '../proof/encoding.ts';
import { defaultPresentationChecks, type Presentation } from '../resource-server/admission.ts';
import { certificateOf, type PeerCertificate } from '../resource-server/connection.ts';
import { answer } from '../resource-server/protect.ts';
import type { HttpRequest } from '../resource-server/http-message.ts';
import { invalidToken, missingProof } from '../resource-server/refusal.ts';
import { discardBody } from '../resource-server/request-body.ts';
import { tlsOptionsFor } from '../resource-server/server.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { socketOf, withFacts } from './connections.ts';
import { onHandmadeTls } from './handmade-tls/server.ts';
import type { Mutant } from './mutant.ts';
import { skipping } from './skipped-checks.ts';

/** The reference that compares the token's thumbprint with the connection in another way. */
function comparing(same: (expected: string, presentation: Presentation) => boolean): TargetVariant {
  return skipping(
    ['certificate-thumbprint'],
    (presentation) =>
      'thumbprint' in presentation.confirmation && same(presentation.confirmation.thumbprint, presentation),
  );
}

/** The reference that excuses some faults of a client certificate. */
function excusing(fault: (error: string) => boolean): TargetVariant {
  return withFacts({
    certificateOf(socket): PeerCertificate | undefined {
      const certificate = certificateOf(socket);
      if (certificate === undefined) return undefined;
      const verified = socket.authorized || fault(String(socket.authorizationError));
      return { ...certificate, verified, notBefore: -Infinity, notAfter: Infinity };
    },
  });
}

function chainOf(presentation: Presentation): readonly DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = socketOf(presentation.request).getPeerCertificate(true);
  while (
    next?.raw !== undefined &&
    !chain.some(({ fingerprint256 }) => fingerprint256 === next?.fingerprint256)
  ) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

/** Compares public keys: a token bound to any certificate that was seen for the same key will do. */
function comparesKeys(): TargetVariant {
  const keys = new Map<string, string>();
  return comparing((expected, { connection: { certificate } }) => {
    if (certificate === undefined) return false;
    const key = certificate.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    keys.set(certificate.thumbprint, key);
    return keys.get(expected) === key;
  });
}

function serverNameOf(presentation: Presentation): unknown {
  return 'servername' in presentation.request.socket ? presentation.request.socket.servername : undefined;
}

function authorityOf({ headers }: HttpRequest): string | undefined {
  const authority = headers[':authority'];
  return typeof authority === 'string' ? authority : headers.host;
}

/** By key, so that a token for another client's certificate is judged as ever. */
function tiesSubjects(): TargetVariant {
  const known = new Map<string, string>();
  const { run } = defaultPresentationChecks.get('certificate-thumbprint');
  return {
    parts: () => ({
      checks: defaultPresentationChecks.with('certificate-thumbprint', (presentation, parts) => {
        const { certificate } = presentation.connection;
        const refusal = run(presentation, parts);
        if (refusal !== undefined || certificate === undefined) return refusal;
        const key = certificate.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
        const first = known.get(key) ?? certificate.thumbprint;
        known.set(key, first);
        return first === certificate.thumbprint
          ? undefined
          : invalidToken('this key is known under another certificate');
      }),
    }),
  };
}

function takesNoIntermediates(): TargetVariant {
  let anchor: X509Certificate | undefined;
  const facts = withFacts({
    certificateOf(socket) {
      const certificate = certificateOf(socket);
      const direct = anchor !== undefined && socket.getPeerX509Certificate()?.checkIssued(anchor) === true;
      return certificate && { ...certificate, verified: certificate.verified && direct };
    },
  });
  return {
    ...facts,
    tls(material) {
      anchor = new X509Certificate(material.clientAuthorities);
      return tlsOptionsFor(material);
    },
  };
}

function remembersKindOfToken(): TargetVariant {
  const bound = new WeakSet<object>();
  const { run } = defaultPresentationChecks.get('proof-present');
  return {
    parts: () => ({
      checks: defaultPresentationChecks.with('proof-present', (presentation, parts) => {
        if (presentation.confirmation.kind === 'session') bound.add(presentation.key);
        else if (bound.has(presentation.key) && presentation.proofs.length === 0) return missingProof();
        return run(presentation, parts);
      }),
    }),
  };
}

/** Mistakes with the client certificate and the token's thumbprint of it (draft -06 §3.3.2 steps 5a and 5c). */
export const mutualTlsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-40',
    mistake: 'takes a missing client certificate for one that matches',
    breaks: ['RS-MTLS-1', 'RS-RELAY-1', 'RS-T3'],
    variant: () =>
      skipping(
        ['certificate', 'certificate-thumbprint'],
        ({ connection }) => connection.certificate === undefined,
      ),
  },
  {
    id: 'M-RS-41',
    mistake: 'accepts any client certificate, whoever issued it and whenever it was valid',
    breaks: ['RS-MTLS-2', 'RS-MTLS-14'],
    variant: () => excusing(() => true),
  },
  {
    id: 'M-RS-42',
    mistake: 'does not compare the x5t#S256 of the token',
    breaks: [
      'RS-MTLS-4',
      'RS-MTLS-5',
      'RS-MTLS-6',
      'RS-MTLS-7',
      'RS-MTLS-8',
      'RS-MTLS-11',
      'CL-SVID-3',
      'RS-CACHE-1',
      'RS-CNF-6',
      'RS-INT-1',
      'RS-T2',
      'RS-T3',
      'RS-T4',
      'RS-T5',
    ],
    variant: () => comparing(() => true),
  },
  {
    id: 'M-RS-44',
    mistake: 'compares the keys of certificates instead of the certificates',
    breaks: ['RS-MTLS-5', 'CL-SVID-3'],
    variant: comparesKeys,
  },
  {
    id: 'M-RS-45',
    mistake: "looks for the thumbprint in the client's whole chain",
    breaks: ['RS-MTLS-6'],
    variant: () =>
      comparing((expected, presentation) =>
        chainOf(presentation).some(({ raw }) => thumbprint(raw) === expected),
      ),
  },
  {
    id: 'M-RS-47',
    mistake: 'demands a client certificate only under the server name of the protected host',
    breaks: ['RS-MTLS-10'],
    variant: () =>
      skipping(
        ['certificate', 'certificate-thumbprint'],
        (presentation) =>
          presentation.connection.certificate === undefined && serverNameOf(presentation) !== 'localhost',
      ),
  },
  {
    id: 'M-RS-326',
    mistake: 'asks for a bearer token only under any other name than that of the protected host',
    breaks: ['RS-MTLS-10'],
    variant: () =>
      skipping(
        [
          'certificate',
          'certificate-thumbprint',
          'exporter-trusted',
          'proof-present',
          'single-proof',
          'proof',
        ],
        (presentation) =>
          serverNameOf(presentation) !== 'localhost' ||
          authorityOf(presentation.request)?.startsWith('localhost') !== true,
      ),
  },
  {
    id: 'M-RS-327',
    mistake:
      'ties each subject to the first certificate that it came with, so that no certificate can be renewed',
    breaks: ['RS-MTLS-5'],
    variant: tiesSubjects,
  },
  {
    id: 'M-RS-48',
    mistake: 'serves clients without certificate through a listener that looks at the bearer token only',
    breaks: ['RS-MTLS-1', 'RS-RELAY-1', 'RS-T3'],
    variant: () => ({
      listener: (inner) => (request, response) => {
        const anonymous = socketOf(request).getPeerX509Certificate() === undefined;
        if (!anonymous || request.headers.authorization === undefined) return inner(request, response);
        answer(response, 200, 'welcome');
        discardBody(request);
      },
    }),
  },
  {
    id: 'M-RS-112',
    mistake: 'demands a proof with every token on a connection that has carried a session-bound one',
    breaks: ['RS-DPOP-6'],
    variant: remembersKindOfToken,
  },
  {
    id: 'M-RS-114',
    mistake: "runs on a TLS stack that does not verify the client's CertificateVerify",
    breaks: ['RS-MTLS-3'],
    lacks: ['tls1.2', 'h2'],
    variant: () =>
      onHandmadeTls({
        unproven: 'counts',
      }),
  },
  {
    id: 'M-RS-437',
    mistake:
      'lets a client whose CertificateVerify is wrong finish the handshake, as one without a certificate',
    breaks: ['RS-MTLS-3'],
    lacks: ['tls1.2', 'h2'],
    variant: () =>
      onHandmadeTls({
        unproven: 'counts for none',
      }),
  },
  {
    id: 'M-RS-133',
    mistake: 'takes only client certificates that the trust anchor itself has issued',
    breaks: ['RS-MTLS-13'],
    variant: takesNoIntermediates,
  },
  {
    id: 'M-RS-134',
    mistake: 'compares thumbprints regardless of letter case',
    breaks: ['RS-MTLS-7'],
    variant: () =>
      comparing(
        (expected, { connection }) =>
          expected.toLowerCase() === connection.certificate?.thumbprint.toLowerCase(),
      ),
  },
  {
    id: 'M-RS-135',
    mistake: 'compares the thumbprint of session-bound tokens only, not of RFC 8705 ones',
    breaks: ['RS-MTLS-8'],
    variant: () =>
      skipping(['certificate-thumbprint'], ({ confirmation }) => confirmation.kind === 'certificate'),
  },
  {
    id: 'M-RS-136',
    mistake: 'skips the checks of the certificate on resumed connections',
    breaks: ['RS-MTLS-11'],
    variant: () =>
      skipping(['certificate', 'certificate-thumbprint'], ({ request }) =>
        socketOf(request).isSessionReused(),
      ),
  },
  {
    id: 'M-RS-137',
    mistake: 'takes client certificates that have expired',
    breaks: ['RS-MTLS-2', 'RS-MTLS-14'],
    variant: () => excusing((error) => error === 'CERT_HAS_EXPIRED'),
  },
  {
    id: 'M-RS-138',
    mistake: 'takes certificates for servers as certificates of clients',
    breaks: ['RS-MTLS-2'],
    variant: () => excusing((error) => error === 'INVALID_PURPOSE'),
  },
];
