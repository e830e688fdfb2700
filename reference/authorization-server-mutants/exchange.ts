import { decodeJwt } from 'jose';
import type { KoaContextWithOIDC, UnknownObject } from 'oidc-provider';
import {
  ACCESS_TOKEN_TYPE,
  JWT_TYPE,
  readExchangeRequest,
  TOKEN_EXCHANGE,
} from '../authorization-server/exchange-request.ts';
import type { Issuance } from '../authorization-server/parts.ts';
import { defaultSessionBinding } from '../authorization-server/session-binding.ts';
import { CONFIRMATION } from '../proof/vocabulary.ts';
import { answering, binding, parameter, withParts } from './making.ts';
import type { AuthorizationServerMutant } from './mutant.ts';

/** The reference whose tokens inherit session binding only from some exchanges. */
function inheriting(when: (issuance: Issuance) => boolean) {
  return binding({
    isRequired: (issuance) =>
      defaultSessionBinding.isRequired({ ...issuance, inherited: issuance.inherited && when(issuance) }),
  });
}

function membersOf(cnf: unknown): UnknownObject {
  return Object.assign({}, cnf);
}

/** The reference whose exchanged tokens carry the thumbprint of the token in a parameter. */
function copying(name: string) {
  return binding({
    confirm(issuance) {
      const confirmation = defaultSessionBinding.confirm(issuance);
      const token = parameter(issuance.context, name);
      if (token?.split('.').length !== 3) return confirmation;
      const { [CONFIRMATION.certificate]: copied } = membersOf(decodeJwt(token)['cnf']);
      return copied === undefined ? confirmation : { ...confirmation, [CONFIRMATION.certificate]: copied };
    },
  });
}

/** Where an answer is the refusal of an exchange. */
function isRefusedExchange(context: KoaContextWithOIDC): boolean {
  return context.status === 400 && parameter(context, 'grant_type') === TOKEN_EXCHANGE;
}

/** The reference that answers a refused exchange with another status. */
function refusingWith(status: number) {
  return answering('/token', (body, context) => {
    if (isRefusedExchange(context)) context.status = status;
    return body;
  });
}

/** Mistakes in what an exchange passes on (draft -06 §3.2, §4.6; RFC 8693). */
const propagationMutants: readonly AuthorizationServerMutant[] = [
  {
    id: 'M-AS-17',
    mistake: 'drops the binding of the subject token',
    breaks: ['AS-TX-1', 'AS-TX-8'],
    variant: () => binding({ isInherited: ({ actor }) => actor === true }),
  },
  {
    id: 'M-AS-18',
    mistake: 'ignores that the actor token is bound',
    breaks: ['AS-TX-2'],
    variant: () => binding({ isInherited: ({ subject }) => subject }),
  },
  {
    id: 'M-AS-130',
    mistake: 'binds exchanged tokens only where the client’s own flag says so',
    breaks: ['AS-TX-1', 'AS-TX-2', 'AS-TX-8'],
    variant: () => inheriting(() => false),
  },
  {
    id: 'M-AS-131',
    mistake: 'binds an exchanged token only where subject and actor token are bound',
    breaks: ['AS-TX-1', 'AS-TX-2'],
    variant: () => binding({ isInherited: ({ subject, actor }) => subject && actor === true }),
  },
  {
    id: 'M-AS-132',
    mistake: 'drops the binding where the exchange names another resource',
    breaks: ['AS-TX-1', 'AS-TX-8'],
    variant: () =>
      inheriting(
        ({ context }) => (parameter(context, 'resource') ?? parameter(context, 'audience')) === undefined,
      ),
  },
  {
    id: 'M-AS-133',
    mistake: 'drops the binding where a JWT is requested',
    breaks: ['AS-TX-1'],
    variant: () => inheriting(({ context }) => parameter(context, 'requested_token_type') !== JWT_TYPE),
  },
  {
    id: 'M-AS-134',
    mistake: 'drops the binding with the refresh token of an exchange',
    breaks: ['AS-TX-8'],
    variant: () => inheriting(({ grantType }) => grantType === TOKEN_EXCHANGE),
  },
  {
    id: 'M-AS-135',
    mistake: 'drops the binding where a client exchanges what another client was issued',
    breaks: ['AS-TX-1', 'AS-TX-8'],
    variant: () =>
      inheriting(({ context, client }) => {
        const token = parameter(context, 'subject_token') ?? '';
        return token.split('.').length !== 3 || decodeJwt(token)['client_id'] === client.clientId;
      }),
  },
  {
    id: 'M-AS-136',
    mistake: 'copies the thumbprint of the subject token',
    breaks: ['AS-TX-3'],
    variant: () => copying('subject_token'),
  },
  {
    id: 'M-AS-302',
    mistake: 'passes the binding on only once: the successor of a successor is not bound',
    breaks: ['AS-TX-8'],
    variant() {
      const successors = new Set<unknown>();
      const { parts } = answering('/token', (body) => {
        if (body['issued_token_type'] !== undefined) successors.add(body['access_token']);
        return body;
      });
      return {
        parts: (defaults) => ({
          ...parts?.(defaults),
          ...inheriting(({ context }) => !successors.has(parameter(context, 'subject_token'))).parts?.(
            defaults,
          ),
        }),
      };
    },
  },
  {
    id: 'M-AS-138',
    mistake: 'drops the binding where the requested scope is narrower',
    breaks: ['AS-TX-1'],
    variant: () => inheriting(({ context }) => parameter(context, 'scope') === undefined),
  },
];

/** Mistakes in requests and answers of an exchange (RFC 8693 §2). */
const protocolMutants: readonly AuthorizationServerMutant[] = [
  {
    id: 'M-AS-25',
    mistake: 'answers a refused exchange with 500',
    breaks: ['AS-TX-4'],
    variant: () => refusingWith(500),
  },
  {
    id: 'M-AS-305',
    mistake: 'answers invalid_grant to a subject token that is not valid',
    breaks: ['AS-TX-4'],
    variant: () =>
      answering('/token', (body, context) =>
        isRefusedExchange(context) && String(body['error_description']).includes('no valid access token')
          ? { ...body, error: 'invalid_grant' }
          : body,
      ),
  },
  {
    id: 'M-AS-143',
    mistake: 'answers a refused exchange with 200 and an error in the body',
    breaks: ['AS-TX-4'],
    variant: () => refusingWith(200),
  },
  {
    id: 'M-AS-137',
    mistake: 'sends a refresh token with the refusal of an exchange',
    breaks: ['AS-T6-3'],
    variant: () =>
      answering('/token', (body, context) =>
        isRefusedExchange(context) ? { ...body, refresh_token: crypto.randomUUID() } : body,
      ),
  },
  {
    id: 'M-AS-144',
    mistake: 'does not say issued_token_type',
    breaks: ['AS-TX-4'],
    variant: () => answering('/token', ({ issued_token_type: _none, ...body }) => body),
  },
  {
    id: 'M-AS-145',
    mistake: 'needs no subject_token_type',
    breaks: ['AS-TX-4'],
    variant: () =>
      withParts({
        readExchangeRequest: (parameters) =>
          readExchangeRequest({
            ...parameters,
            subject_token_type: parameters['subject_token_type'] ?? ACCESS_TOKEN_TYPE,
          }),
      }),
  },
  {
    id: 'M-AS-146',
    mistake: 'issues an access token whatever token type is requested',
    breaks: ['AS-TX-4'],
    variant: () =>
      withParts({
        readExchangeRequest: ({ requested_token_type: _none, ...parameters }) =>
          readExchangeRequest(parameters),
      }),
  },
  {
    id: 'M-AS-147',
    mistake: 'needs no actor_token_type',
    breaks: ['AS-TX-4'],
    variant: () =>
      withParts({
        readExchangeRequest: (parameters) =>
          readExchangeRequest({
            ...parameters,
            ...(parameters['actor_token'] !== undefined && { actor_token_type: ACCESS_TOKEN_TYPE }),
          }),
      }),
  },
];

/** Mistakes with token exchange, but for who may exchange a token. */
export const exchangeMutants: readonly AuthorizationServerMutant[] = [
  ...propagationMutants,
  ...protocolMutants,
];
