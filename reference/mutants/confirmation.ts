import { decodeJwt, decodeProtectedHeader } from 'jose';
import { readConfirmation, type Confirmation } from '../proof/confirmation.ts';
import { CONFIRMATION, EXPORTER_LABEL } from '../proof/vocabulary.ts';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { isJwt } from '../resource-server/jwt-tokens.ts';
import { invalidToken } from '../resource-server/refusal.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';
import { decoded } from './proof-variants.ts';

type Members = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unbound(cnf: Members): Confirmation {
  const { [CONFIRMATION.exporterLabel]: _label, ...rest } = cnf;
  return readConfirmation(rest);
}

function isEmpty(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}

/** The reference that looks for the confirmation of a JWT in its own way, and asks for nothing where what it finds is empty. */
function confirmedBy(find: (claims: Members, header: Members) => unknown): TargetVariant {
  return {
    parts: ({ validateToken }) => ({
      async validateToken(token, now) {
        const grant = await validateToken(token, now);
        if (grant === undefined || !isJwt(token)) return grant;
        const found = find(decodeJwt(token), { ...decodeProtectedHeader(token) });
        return { ...grant, confirmation: isEmpty(found) ? undefined : found };
      },
    }),
  };
}

/** Every member of this name at whatever depth, in the order of the text. */
function everyMember(name: string, value: unknown): readonly unknown[] {
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([each, inner]) => [
    ...(each === name ? [inner] : []),
    ...everyMember(name, inner),
  ]);
}

/** Mistakes in what the `cnf` claim is taken to demand (draft -06 §2.4). */
export const confirmationMutants: readonly Mutant[] = [
  {
    id: 'M-RS-87',
    mistake: 'takes a tls_exp of unexpected type or label for none',
    breaks: ['RS-CNF-2', 'RS-CNF-4'],
    variant: () => ({
      parts: () => ({
        readConfirmation: (cnf) =>
          isObject(cnf) && cnf[CONFIRMATION.exporterLabel] !== EXPORTER_LABEL
            ? unbound(cnf)
            : readConfirmation(cnf),
      }),
    }),
  },
  {
    id: 'M-RS-117',
    mistake: 'demands that tokens are bound, and takes a cnf of a wrong JSON type for a binding that is met',
    breaks: ['RS-CNF-6'],
    variant: () => ({
      parts: () => ({
        readConfirmation: (cnf) =>
          cnf === undefined || isObject(cnf) ? readConfirmation(cnf) : { kind: 'none' },
        checks: defaultPresentationChecks.with('binding-required', ({ grant }) =>
          grant.confirmation === undefined ? invalidToken('the access token is not bound') : undefined,
        ),
      }),
    }),
  },
  {
    id: 'M-RS-118',
    mistake: 'refuses a cnf with members that it does not know',
    breaks: ['RS-CNF-7'],
    variant: () => ({
      parts: () => ({
        readConfirmation(cnf) {
          const known = new Set<string>(Object.values(CONFIRMATION));
          const foreign = isObject(cnf) && Object.keys(cnf).some((member) => !known.has(member));
          return foreign
            ? { kind: 'unusable', description: 'cnf has an unknown member' }
            : readConfirmation(cnf);
        },
      }),
    }),
  },
  {
    id: 'M-RS-191',
    mistake: 'compares the certificate thumbprint only where the token has one',
    breaks: ['RS-CNF-3', 'RS-INT-1'],
    variant: () => ({
      parts: () => ({
        readConfirmation(cnf) {
          if (!isObject(cnf) || cnf[CONFIRMATION.exporterLabel] !== EXPORTER_LABEL)
            return readConfirmation(cnf);
          const thumbprint = cnf[CONFIRMATION.certificate];
          return {
            kind: 'session',
            thumbprint: typeof thumbprint === 'string' ? thumbprint : '',
            label: EXPORTER_LABEL,
          };
        },
        checks: defaultPresentationChecks.with('certificate-thumbprint', (presentation, parts) => {
          const { confirmation } = presentation;
          if ('thumbprint' in confirmation && confirmation.thumbprint === '') return undefined;
          return defaultPresentationChecks.get('certificate-thumbprint').run(presentation, parts);
        }),
      }),
    }),
  },
  {
    id: 'M-RS-192',
    mistake: 'flattens cnf into the other claims, so that a claim outside of cnf overrides a member of it',
    breaks: ['RS-CNF-6'],
    variant: () => ({
      parts: ({ validateToken }) => ({
        async validateToken(token, now) {
          const grant = await validateToken(token, now);
          if (grant === undefined || !isJwt(token) || !isObject(grant.confirmation)) return grant;
          const flat = { ...grant.confirmation, ...decodeJwt(token) } as Record<string, unknown>;
          if (!flat[CONFIRMATION.exporterLabel]) delete flat[CONFIRMATION.exporterLabel];
          return { ...grant, confirmation: flat };
        },
      }),
    }),
  },
  {
    id: 'M-RS-401',
    mistake:
      'searches the token for cnf at whatever depth, and asks for what the last one says, be it nothing',
    breaks: ['RS-CNF-6'],
    variant: () => confirmedBy((claims) => everyMember('cnf', claims).at(-1)),
  },
  {
    id: 'M-RS-402',
    mistake:
      'lets claims that are replicated in the header override those of the payload (RFC 7519 §5.3), even a cnf that says nothing',
    breaks: ['RS-CNF-6'],
    variant: () => confirmedBy((claims, header) => ({ ...claims, ...header })['cnf']),
  },
  {
    id: 'M-RS-403',
    mistake:
      'takes a claim confirmation for cnf written out, and asks for what it says where a token has both, be it nothing',
    breaks: ['RS-CNF-6'],
    variant: () => confirmedBy((claims) => claims['confirmation'] ?? claims['cnf']),
  },
  {
    id: 'M-RS-404',
    mistake:
      'demands that tokens are bound by searching their text for tls_exp, and then asks for what it finds in cnf, be it nothing',
    breaks: ['RS-CNF-6'],
    variant: () => ({
      parts: () => ({
        readConfirmation: (cnf) => (isEmpty(cnf) ? { kind: 'none' } : readConfirmation(cnf)),
        checks: defaultPresentationChecks.with('binding-required', ({ token, grant }) => {
          const text = isJwt(token) ? decoded(token.split('.')[1]) : JSON.stringify(grant);
          return text.includes(CONFIRMATION.exporterLabel)
            ? undefined
            : invalidToken('the access token is not bound');
        }),
      }),
    }),
  },
];
