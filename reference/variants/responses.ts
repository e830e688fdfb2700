import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { challengeFor } from '../resource-server/refusal.ts';
import { versioned } from '../mutants/versioned.ts';
import type { Variant } from './variant.ts';

const BASIC = 'Basic realm="operators, and their \\"friends\\"", charset="UTF-8"';
const DPOP = 'DPoP algs="ES256 PS256"';

/** Freedom in how a refusal is told (draft -06 §3.5, RFC 6750 §3, RFC 9110 §11.6.1). */
export const responseVariants: readonly Variant[] = [
  {
    id: 'V-RS-visible-version',
    difference: 'shows in ETag which POST and PUT requests it has admitted, and has no counter',
    lacks: ['counter'],
    variant: () =>
      versioned((take, response) => {
        // Before the response is on its way, so that whoever has it sees the new version.
        const end = response.end.bind(response);
        const finish = (text: string | Buffer = ''): void => {
          if (response.statusCode < 300) take();
          end(text);
        };
        Object.defineProperty(response, 'end', { value: finish });
      }),
  },
  {
    id: 'V-RS-wrong-certificate-invalid-proof',
    difference: 'says invalid_proof where the token is bound to another certificate',
    variant: () => {
      const { run } = defaultPresentationChecks.get('certificate-thumbprint');
      return {
        parts: () => ({
          checks: defaultPresentationChecks.with('certificate-thumbprint', (presentation, parts) => {
            const refusal = run(presentation, parts);
            if (refusal === undefined || presentation.confirmation.kind !== 'session') return refusal;
            return { ...refusal, error: 'invalid_proof' };
          }),
        }),
      };
    },
  },
  {
    id: 'V-RS-challenge-parameters',
    difference: 'puts further parameters into its challenges',
    variant: () => ({
      parts: () => ({
        challengeFor: (refusal, realm) =>
          `${challengeFor(refusal, realm)}, error_uri="https://docs.example/errors", algs="ES256 PS256", max_age=300`,
      }),
    }),
  },
  {
    id: 'V-RS-challenges-in-one-field',
    difference: 'offers other schemes in the same field, before and after Bearer',
    variant: () => ({
      parts: () => ({
        challengeFor: (refusal, realm) => `${DPOP}, ${challengeFor(refusal, realm)}, ${BASIC}`,
      }),
    }),
  },
  {
    id: 'V-RS-challenges-in-two-fields',
    difference: 'offers another scheme in a WWW-Authenticate field of its own',
    variant: () => ({
      listener: (inner) => (request, response) => {
        const set = response.setHeader.bind(response);
        const setBoth = (name: string, value: string) =>
          set(name, name === 'WWW-Authenticate' ? [BASIC, value] : value);
        Object.defineProperty(response, 'setHeader', { value: setBoth });
        inner(request, response);
      },
    }),
  },
  {
    id: 'V-RS-no-description',
    difference: 'gives the error code alone, without error_description',
    variant: () => ({
      parts: () => ({
        challengeFor: (refusal, realm) =>
          challengeFor(refusal, realm).replace(/, error_description="[^"]*"/, ''),
      }),
    }),
  },
];
