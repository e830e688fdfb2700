import { decodeJwt } from 'jose';
import { readConfirmation, type Confirmation } from '../proof/confirmation.ts';
import { CONFIRMATION, EXPORTER_LABEL } from '../proof/vocabulary.ts';
import { defaultPresentationChecks, type PresentationCheckName } from '../resource-server/admission.ts';
import { isJwt } from '../resource-server/jwt-tokens.ts';
import { invalidToken } from '../resource-server/refusal.ts';
import type { Mutant } from './mutant.ts';

type Members = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unbound(cnf: Members): Confirmation {
  const { [CONFIRMATION.exporterLabel]: _label, ...rest } = cnf;
  return readConfirmation(rest);
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
    id: 'M-RS-190',
    mistake: 'verifies a proof where one is sent, and demands none',
    breaks: ['RS-CNF-1'],
    variant: () => {
      const optional: readonly PresentationCheckName[] = ['proof-present', 'single-proof', 'proof'];
      const checks = optional.reduce((all, name) => {
        const { run } = all.get(name);
        return all.with(name, (presentation, parts) =>
          presentation.proofs.length === 0 ? undefined : run(presentation, parts),
        );
      }, defaultPresentationChecks);
      return { parts: () => ({ checks }) };
    },
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
];
