import { JWT_TYPE } from '../authorization-server/exchange-request.ts';
import { isSessionBound } from '../authorization-server/session-binding.ts';
import { type MayExchange, mayExchange, type Requester } from '../authorization-server/token-access.ts';
import { PROOF_FIELD } from '../proof/vocabulary.ts';
import { parameter, withParts } from './making.ts';
import type { AuthorizationServerMutant } from './mutant.ts';

/** The reference that lets further clients exchange a token. */
function admitting(also: MayExchange) {
  return withParts({
    mayExchange: (requester, token, as) => also(requester, token, as) || mayExchange(requester, token, as),
  });
}

/** Somebody whose certificate a trust anchor vouches for, whoever it is. */
const isSomebody = ({ certificate }: Requester) => certificate?.verified === true;

/** Mistakes in who may exchange a token (draft -06 §4.6.1, threat T6). */
export const admissionMutants: readonly AuthorizationServerMutant[] = [
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
    breaks: ['AS-TX-4', 'AS-TX-5'],
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
  {
    id: 'M-AS-301',
    mistake: 'lets the client that a token was issued to exchange it with any certificate',
    breaks: ['AS-T6-1'],
    variant: () => admitting(({ clientId }, { clientId: issuedTo }) => clientId === issuedTo),
  },
  {
    id: 'M-AS-304',
    mistake: 'asks nothing of who exchanges a token that its holder has exchanged before',
    breaks: ['AS-T6-3'],
    variant() {
      const exchanged = new Set<string | undefined>();
      return withParts({
        mayExchange(requester, token, as) {
          const value = parameter(requester.context, `${as}_token`);
          if (exchanged.has(value)) return true;
          const may = mayExchange(requester, token, as);
          if (may) exchanged.add(value);
          return may;
        },
      });
    },
  },
  {
    id: 'M-AS-306',
    mistake: 'checks the actor token alone where there is one',
    breaks: ['AS-T6-1'],
    variant: () =>
      admitting(
        ({ context }, _token, as) => as === 'subject' && parameter(context, 'actor_token') !== undefined,
      ),
  },
  {
    id: 'M-AS-307',
    mistake: 'compares nothing where the subject token is called a JWT',
    breaks: ['AS-T6-1'],
    variant: () => admitting(({ context }) => parameter(context, 'subject_token_type') === JWT_TYPE),
  },
];
