import { decodeJwt } from 'jose';
import type { KoaContextWithOIDC, UnknownObject } from 'oidc-provider';
import {
  ACCESS_TOKEN_TYPE,
  JWT_TYPE,
  readExchangeRequest,
  TOKEN_EXCHANGE,
} from '../authorization-server/exchange-request.ts';
import type { Issuance } from '../authorization-server/parts.ts';
import { defaultSessionBinding, isSessionBound } from '../authorization-server/session-binding.ts';
import { type MayExchange, mayExchange, type Requester } from '../authorization-server/token-access.ts';
import { CONFIRMATION, PROOF_FIELD } from '../proof/vocabulary.ts';
import { answering, binding, withParts } from './making.ts';
import type { AuthorizationServerMutant } from './mutant.ts';

function parameter({ oidc }: KoaContextWithOIDC, name: string): string | undefined {
  const value = oidc.params?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

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

/** The reference that lets further clients exchange a token. */
function admitting(also: MayExchange) {
  return withParts({
    mayExchange: (requester, token, as) => also(requester, token, as) || mayExchange(requester, token, as),
  });
}

/** Somebody whose certificate a trust anchor vouches for, whoever it is. */
const isSomebody = ({ certificate }: Requester) => certificate?.verified === true;

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
    id: 'M-AS-138',
    mistake: 'drops the binding where the requested scope is narrower',
    breaks: ['AS-TX-1'],
    variant: () => inheriting(({ context }) => parameter(context, 'scope') === undefined),
  },
];

/** Mistakes in who may exchange a token (draft -06 §4.6.1, threat T6). */
const admissionMutants: readonly AuthorizationServerMutant[] = [
  {
    id: 'M-AS-20',
    mistake: 'exchanges a stolen token for every client that authenticates',
    breaks: ['AS-T6-1', 'AS-T6-3'],
    variant: () => withParts({ mayExchange: () => true }),
  },
  {
    id: 'M-AS-21',
    mistake: 'asks for a certificate, and compares it neither with cnf nor the requester with the audience',
    breaks: ['AS-T6-1', 'AS-T6-2'],
    variant: () => withParts({ mayExchange: isSomebody }),
  },
  {
    id: 'M-AS-22',
    mistake: 'asks for a Session-Binding Proof with an exporter value that it cannot know',
    breaks: ['AS-TX-1', 'AS-TX-5', 'AS-T6-1'],
    variant: () =>
      withParts({
        mayExchange: (requester, token, as) =>
          !isSessionBound(token.confirmation) && mayExchange(requester, token, as),
      }),
  },
  {
    id: 'M-AS-139',
    mistake: 'takes an actor token from anybody',
    breaks: ['AS-T6-1'],
    variant: () => admitting((_requester, _token, as) => as === 'actor'),
  },
  {
    id: 'M-AS-140',
    mistake: 'takes any Session-Binding-Proof field for possession of the key',
    breaks: ['AS-T6-1'],
    variant: () => admitting(({ context }) => context.get(PROOF_FIELD) !== ''),
  },
  {
    id: 'M-AS-141',
    mistake: 'asks nothing of who exchanges an opaque token',
    breaks: ['AS-T6-1'],
    variant: () => admitting((_requester, { format }) => format === 'opaque'),
  },
  {
    id: 'M-AS-142',
    mistake: 'exchanges a token for every resource server, not only for the one that it is for',
    breaks: ['AS-T6-1', 'AS-T6-2'],
    variant: () => admitting(({ clientId }) => URL.canParse(clientId)),
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

/** Every mistake with token exchange. */
export const exchangeMutants: readonly AuthorizationServerMutant[] = [
  ...propagationMutants,
  ...admissionMutants,
  ...protocolMutants,
];
