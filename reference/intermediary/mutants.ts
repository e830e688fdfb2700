import { Agent } from 'undici';
import { defaultClientParts } from '../client/parts.ts';
import { PROOF_FIELD, PROOF_FIELD_LOWER } from '../proof/vocabulary.ts';
import { fieldValues } from '../resource-server/http-message.ts';
import type { Environment } from '../resource-server/settings.ts';
import { SettingsError } from '../resource-server/settings.ts';
import type { RunningTarget } from '../resource-server/target.ts';
import { forwardedFields } from './intermediary.ts';
import { type HopVariant, start as startReference } from './target.ts';
import { createTokenExchange, exchangeParameters } from './token-exchange.ts';

/** The reference intermediate with exactly one realistic mistake. */
export interface HopMutant {
  readonly id: string;
  readonly mistake: string;
  /** Requirements that the mistake breaks: at least one scenario of each must fail. */
  readonly breaks: readonly string[];
  variant(): HopVariant;
}

type Parameters = Readonly<Record<string, string>>;

/** The reference that sends other parameters to the token endpoint. */
function asking(change: (right: Parameters) => Parameters): HopVariant {
  return {
    exchangeOf: (client, { tokenEndpoint, audience }) =>
      createTokenExchange(client, tokenEndpoint, audience, (clientId, subjectToken) =>
        change(exchangeParameters(clientId, subjectToken)),
      ),
  };
}

/** Mistakes of an intermediate (draft -06 §4.6.1). */
export const MUTANTS: readonly HopMutant[] = [
  {
    id: 'M-CL-42',
    mistake: 'exchanges the inbound token before the inbound proof was verified',
    breaks: ['CL-HOP-1'],
    variant: () => ({
      parts: ({ validateToken, exchange }) => ({
        async validateToken(token, now) {
          await exchange(token).catch(() => {});
          return validateToken(token, now);
        },
      }),
    }),
  },
  {
    id: 'M-CL-180',
    mistake: 'does not verify the inbound proof at all, since the next server has one to verify',
    breaks: ['CL-HOP-1'],
    variant: () => ({
      parts: () => ({ readConfirmation: () => ({ kind: 'none' }), requireBinding: false }),
    }),
  },
  {
    id: 'M-CL-43',
    mistake: 'sends the inbound proof on beside its own',
    breaks: ['CL-HOP-2'],
    variant: () => ({
      fieldsOf: (request) => [
        ...forwardedFields(request),
        ...fieldValues(request, PROOF_FIELD_LOWER).flatMap((proof) => ['X-Inbound-Proof', proof]),
      ],
      client: {
        parts: {
          withProof: (request, proof) =>
            defaultClientParts
              .withProof(request, proof)
              .map((text) => (text === 'X-Inbound-Proof' ? PROOF_FIELD : text)),
        },
      },
    }),
  },
  {
    id: 'M-CL-181',
    mistake: 'sends the inbound proof on in the place of its own',
    breaks: ['CL-HOP-2'],
    variant: () => ({
      fieldsOf: (request) => [
        ...forwardedFields(request),
        ...fieldValues(request, PROOF_FIELD_LOWER).flatMap((proof) => ['X-Inbound-Proof', proof]),
      ],
      client: {
        parts: {
          withProof: ({ fields }) => fields.map((text) => (text === 'X-Inbound-Proof' ? PROOF_FIELD : text)),
        },
      },
    }),
  },
  {
    id: 'M-CL-340',
    mistake: 'asks for its tokens over a connection without its certificate',
    breaks: ['CL-AS-1'],
    variant: () => ({
      exchangeOf(_client, { authorities, tokenEndpoint, audience }) {
        const plain = new Agent({ connect: { ca: authorities }, keepAliveTimeout: 1 });
        return createTokenExchange(plain, tokenEndpoint, audience);
      },
    }),
  },
  {
    id: 'M-CL-341',
    mistake: 'does not say of what type the token is that it exchanges',
    breaks: ['CL-AS-2'],
    variant: () => asking(({ subject_token_type: _none, ...parameters }) => parameters),
  },
  {
    id: 'M-CL-342',
    mistake: 'sends the inbound token with the scheme that it came under',
    breaks: ['CL-AS-2'],
    variant: () =>
      asking((parameters) => ({
        ...parameters,
        subject_token: `Bearer ${parameters['subject_token'] ?? ''}`,
      })),
  },
];

/**
 * Starts a mutant of the intermediate.
 *
 * @param context.variant the mutant's id
 * @throws {SettingsError} when there is no such mutant
 */
export async function start(
  environment: Environment,
  context: { readonly variant?: string; readonly log?: (line: string) => void },
): Promise<RunningTarget> {
  const mutant = MUTANTS.find(({ id }) => id === context.variant);
  if (mutant === undefined) throw new SettingsError(`there is no mutant ${context.variant ?? ''}`);
  return startReference(environment, { variant: mutant.variant(), ...(context.log && { log: context.log }) });
}
