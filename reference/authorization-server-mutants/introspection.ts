import { certificateOf } from '../authorization-server/client-certificate.ts';
import { defaultSessionBinding } from '../authorization-server/session-binding.ts';
import { CONFIRMATION, EXPORTER_LABEL } from '../proof/vocabulary.ts';
import { answering, binding, withParts } from './making.ts';
import type { AuthorizationServerMutant } from './mutant.ts';

const ENDPOINT = '/token/introspection';

/** Mistakes in introspection (draft -06 §2.4, §3.4). */
export const introspectionMutants: readonly AuthorizationServerMutant[] = [
  {
    id: 'M-AS-07',
    mistake: 'leaves cnf out of introspection responses',
    breaks: ['AS-INT-1', 'AS-INT-4'],
    variant: () => answering(ENDPOINT, ({ cnf: _none, ...body }) => body),
  },
  {
    id: 'M-AS-123',
    mistake: 'leaves tls_exp out of introspection responses',
    breaks: ['AS-INT-1', 'AS-INT-4'],
    variant: () =>
      binding({
        inIntrospection(response, confirmation) {
          if (confirmation === undefined) return response;
          const { [CONFIRMATION.exporterLabel]: _none, ...known } = confirmation;
          return defaultSessionBinding.inIntrospection({ ...response, cnf: undefined }, known);
        },
      }),
  },
  {
    id: 'M-AS-08',
    mistake: 'adds tls_exp to the introspection response of every token',
    breaks: ['AS-INT-2'],
    variant: () =>
      binding({
        inIntrospection: (response, confirmation) =>
          defaultSessionBinding.inIntrospection(
            response,
            confirmation ?? { [CONFIRMATION.exporterLabel]: EXPORTER_LABEL },
          ),
      }),
  },
  {
    id: 'M-AS-09',
    mistake: 'introspects a token only for a caller with the certificate that the token names',
    breaks: ['AS-INT-3', 'AS-INT-4'],
    variant: () =>
      answering(ENDPOINT, (body, context) => {
        const { 'x5t#S256': named } = Object.assign({ 'x5t#S256': undefined }, body['cnf']);
        return named === undefined || named === certificateOf(context)?.thumbprint ? body : { active: false };
      }),
  },
  {
    id: 'M-AS-124',
    mistake: 'tells the thumbprint of the caller of introspection',
    breaks: ['AS-INT-1'],
    variant: () =>
      answering(ENDPOINT, (body, context) =>
        body['cnf'] === undefined
          ? body
          : {
              ...body,
              cnf: { ...body['cnf'], [CONFIRMATION.certificate]: certificateOf(context)?.thumbprint },
            },
      ),
  },
  {
    id: 'M-AS-125',
    mistake: 'introspects tokens for every client there is',
    breaks: ['AS-T6-3'],
    variant: () => withParts({ mayIntrospect: () => true }),
  },
  {
    id: 'M-AS-126',
    mistake: 'tells cnf of tokens that are not active any more',
    breaks: ['AS-INT-3'],
    variant() {
      const seen = new Map<string, unknown>();
      return answering(ENDPOINT, (body, context) => {
        const token = String(context.oidc.params?.['token']);
        if (body['active'] === true) seen.set(token, body['cnf']);
        return seen.has(token) ? { ...body, cnf: seen.get(token) } : body;
      });
    },
  },
  {
    id: 'M-AS-127',
    mistake: 'puts confirmation members beside the others of an introspection response, without cnf',
    breaks: ['AS-INT-1', 'AS-INT-4'],
    variant: () =>
      binding({
        inIntrospection: ({ cnf, ...response }, confirmation) =>
          confirmation === undefined ? { ...response, cnf } : { ...response, ...confirmation },
      }),
  },
  {
    id: 'M-AS-128',
    mistake: 'says that an expired token is active',
    breaks: ['AS-INT-3'],
    variant() {
      const seen = new Map<string, Readonly<Record<string, unknown>>>();
      return answering(ENDPOINT, (body, context) => {
        const token = String(context.oidc.params?.['token']);
        if (body['active'] === true) seen.set(token, body);
        return seen.get(token) ?? body;
      });
    },
  },
];
