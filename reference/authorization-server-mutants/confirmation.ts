import { hash, X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { type ClientCertificate, certificateOf } from '../authorization-server/client-certificate.ts';
import type { Confirmation, Issuance } from '../authorization-server/parts.ts';
import { defaultSessionBinding } from '../authorization-server/session-binding.ts';
import { thumbprint } from '../proof/encoding.ts';
import { CONFIRMATION, EXPORTER_LABEL, EXPORTER_LENGTH } from '../proof/vocabulary.ts';
import { exporterOf } from '../tls/exporter.ts';
import { answering, binding, withParts } from './making.ts';
import type { AuthorizationServerMutant } from './mutant.ts';

/** The reference whose `cnf` is another one. */
function confirming(change: (confirmation: Confirmation, issuance: Issuance) => Confirmation) {
  return binding({
    confirm(issuance) {
      const confirmation = defaultSessionBinding.confirm(issuance);
      return confirmation && change(confirmation, issuance);
    },
  });
}

/** The reference that prefers a forwarded certificate to the connection's. */
function preferring(forwarded: (context: KoaContextWithOIDC) => string | undefined) {
  return withParts({
    certificateOf(context): ClientCertificate | undefined {
      const x509 = certificateIn(forwarded(context));
      return x509 === undefined
        ? certificateOf(context)
        : { x509, thumbprint: thumbprint(x509.raw), verified: true };
    },
  });
}

/** The certificate that a text is in base64, if it is one. */
function certificateIn(text = ''): X509Certificate | undefined {
  try {
    return new X509Certificate(Buffer.from(text, 'base64'));
  } catch {
    return undefined;
  }
}

/** PEM, as proxies escape it into a field, or base64 between colons (RFC 9440 §2.1). */
function fieldContent(value: string): string {
  const text = value.includes('%') ? decodeURIComponent(value) : value;
  return text.replaceAll(/-----[A-Z ]+-----|[\s:]/g, '');
}

function exported({ context: { socket } }: Issuance): Buffer {
  return socket instanceof TLSSocket ? exporterOf(socket) : Buffer.alloc(EXPORTER_LENGTH);
}

/** Mistakes in the confirmation claim (draft -06 §2.4). */
export const confirmationMutants: readonly AuthorizationServerMutant[] = [
  {
    id: 'M-AS-01',
    mistake: 'marks session-bound tokens with tls_exp: true',
    breaks: ['AS-CNF-1', 'AS-CNF-2'],
    variant: () => confirming((confirmation) => ({ ...confirmation, tls_exp: true })),
  },
  {
    id: 'M-AS-02',
    mistake: 'puts the exporter value of the token request into tls_exp',
    breaks: ['AS-CNF-2', 'AS-CNF-5'],
    variant: () =>
      confirming((confirmation, issuance) => ({
        ...confirmation,
        tls_exp: exported(issuance).toString('base64url'),
      })),
  },
  {
    id: 'M-AS-03',
    mistake: 'puts the confirmation members beside the other claims, without cnf',
    breaks: ['AS-CNF-1'],
    variant: () =>
      binding({ inToken: ({ cnf: _none, ...claims }, confirmation) => ({ ...claims, ...confirmation }) }),
  },
  {
    id: 'M-AS-04',
    mistake: 'writes tls_exp without x5t#S256, and so needs no certificate',
    breaks: ['AS-CNF-1', 'AS-CNF-6', 'AS-GRANT-1'],
    variant: () => binding({ confirm: () => ({ tls_exp: EXPORTER_LABEL }) }),
  },
  {
    id: 'M-AS-06',
    mistake: 'takes the certificate from the field Client-Cert where there is one',
    breaks: ['AS-CNF-4'],
    variant: () => preferring((context) => fieldContent(context.get('Client-Cert'))),
  },
  {
    id: 'M-AS-24',
    mistake: 'binds to the DPoP key alone where a client sends a DPoP proof',
    breaks: ['AS-CNF-6'],
    variant: () =>
      binding({
        inToken(claims, confirmation) {
          const { jkt } = Object.assign({ jkt: undefined }, claims['cnf']);
          return jkt === undefined
            ? defaultSessionBinding.inToken(claims, confirmation)
            : { ...claims, cnf: { jkt } };
        },
      }),
  },
  {
    id: 'M-AS-101',
    mistake: 'writes tls_bound: true, as the predecessor of the draft did',
    breaks: ['AS-CNF-1', 'AS-CNF-2'],
    variant: () =>
      confirming(({ tls_exp: _none, ...confirmation }) => ({ ...confirmation, tls_bound: true })),
  },
  {
    id: 'M-AS-102',
    mistake: 'writes the label of the predecessor of the draft',
    breaks: ['AS-CNF-2'],
    variant: () =>
      confirming((confirmation) => ({
        ...confirmation,
        tls_exp: 'EXPORTER-oauth-tls-bound-token-exchange',
      })),
  },
  {
    id: 'M-AS-103',
    mistake: 'writes the label in lower case',
    breaks: ['AS-CNF-2'],
    variant: () => confirming((confirmation) => ({ ...confirmation, tls_exp: EXPORTER_LABEL.toLowerCase() })),
  },
  {
    id: 'M-AS-104',
    mistake: 'makes cnf a text with JSON in it',
    breaks: ['AS-CNF-1'],
    variant: () =>
      binding({ inToken: (claims, confirmation) => ({ ...claims, cnf: JSON.stringify(confirmation) }) }),
  },
  {
    id: 'M-AS-105',
    mistake: 'writes the thumbprint in hexadecimal',
    breaks: ['AS-CNF-3'],
    variant: () =>
      confirming((confirmation, { certificate }) => ({
        ...confirmation,
        'x5t#S256': certificate && hash('sha256', certificate.x509.raw, 'hex'),
      })),
  },
  {
    id: 'M-AS-106',
    mistake: 'writes the thumbprint in padded base64',
    breaks: ['AS-CNF-3'],
    variant: () =>
      confirming((confirmation, { certificate }) => ({
        ...confirmation,
        'x5t#S256': certificate && hash('sha256', certificate.x509.raw, 'base64'),
      })),
  },
  {
    id: 'M-AS-107',
    mistake: 'hashes the public key instead of the certificate',
    breaks: ['AS-CNF-3'],
    variant: () =>
      confirming((confirmation, { certificate }) => ({
        ...confirmation,
        'x5t#S256':
          certificate && thumbprint(certificate.x509.publicKey.export({ type: 'spki', format: 'der' })),
      })),
  },
  {
    id: 'M-AS-108',
    mistake: 'remembers the first certificate of each client and binds every later token to it',
    breaks: ['AS-CNF-3'],
    variant() {
      const first = new Map<string, unknown>();
      return confirming((confirmation, { client }) => {
        const known = first.get(client.clientId) ?? confirmation['x5t#S256'];
        first.set(client.clientId, known);
        return { ...confirmation, 'x5t#S256': known };
      });
    },
  },
  {
    id: 'M-AS-201',
    mistake: 'binds tokens that are asked for on a resumed connection to the certificate of its first client',
    breaks: ['AS-CNF-3'],
    variant() {
      let first: unknown;
      return confirming((confirmation, { context: { socket } }) => {
        first ??= confirmation[CONFIRMATION.certificate];
        const isResumed = socket instanceof TLSSocket && socket.isSessionReused();
        return isResumed ? { ...confirmation, [CONFIRMATION.certificate]: first } : confirmation;
      });
    },
  },
  {
    id: 'M-AS-110',
    mistake: 'adds the exporter value of the token request to cnf',
    breaks: ['AS-CNF-5'],
    variant: () =>
      confirming((confirmation, issuance) => ({
        ...confirmation,
        ekm: exported(issuance).toString('base64url'),
      })),
  },
  {
    id: 'M-AS-111',
    mistake: 'takes the certificate from X-SSL-Client-Cert where there is one',
    breaks: ['AS-CNF-4'],
    variant: () => preferring((context) => fieldContent(context.get('X-SSL-Client-Cert'))),
  },
  {
    id: 'M-AS-202',
    mistake: 'authenticates by the connection’s certificate, and binds to the one in the field Client-Cert',
    breaks: ['AS-CNF-4'],
    variant: () =>
      confirming((confirmation, { context }) => {
        const told = certificateIn(fieldContent(context.get('Client-Cert')));
        return told === undefined
          ? confirmation
          : { ...confirmation, [CONFIRMATION.certificate]: thumbprint(told.raw) };
      }),
  },
  {
    id: 'M-AS-112',
    mistake: 'takes the thumbprint from a parameter of the token request',
    breaks: ['AS-CNF-4'],
    variant: () =>
      confirming((confirmation, { context }) => {
        const named = (context.oidc.body ?? {})['x5t#S256'];
        return typeof named === 'string' ? { ...confirmation, 'x5t#S256': named } : confirmation;
      }),
  },
  {
    id: 'M-AS-27',
    mistake: 'calls session-bound tokens token_type TLS',
    breaks: ['AS-TYPE-1'],
    variant: () =>
      answering('/token', (body) =>
        body['token_type'] === 'Bearer' ? { ...body, token_type: 'TLS' } : body,
      ),
  },
];
