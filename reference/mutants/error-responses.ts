import { encodeBase64url } from '../proof/encoding.ts';
import { isUnder, pathOf } from '../resource-server/application.ts';
import { defaultPresentationChecks, type Presentation } from '../resource-server/admission.ts';
import { answer, protect, type RequestListener } from '../resource-server/protect.ts';
import { challengeFor, missingProof, type Refusal } from '../resource-server/refusal.ts';
import { PROTECTED_PATH, type TargetVariant } from '../resource-server/target.ts';
import type { TokenValidator } from '../resource-server/token.ts';
import type { Mutant } from './mutant.ts';
import { versioned } from './versioned.ts';

/** The default checks, with another refusal where a proof fails. */
function proofRefusal(change: (refusal: Refusal, presentation: Presentation) => Refusal): TargetVariant {
  const { run } = defaultPresentationChecks.get('proof');
  const checks = defaultPresentationChecks.with('proof', (presentation, parts) => {
    const refusal = run(presentation, parts);
    return refusal === undefined ? undefined : change(refusal, presentation);
  });
  return { parts: () => ({ checks }) };
}

/** Mistakes in how a refusal looks, and in refusing at all (draft -06 §3.5, §3.3.2 step 6). */
export const errorResponsesMutants: readonly Mutant[] = [
  {
    id: 'M-RS-99',
    mistake: 'answers proof failures with 403',
    breaks: ['RS-ERR-1'],
    variant: () => proofRefusal((refusal) => ({ ...refusal, status: 403 })),
  },
  {
    id: 'M-RS-100',
    mistake: 'says invalid_token where the proof fails',
    breaks: ['RS-ERR-2'],
    variant: () => proofRefusal((refusal) => ({ ...refusal, error: 'invalid_token' })),
  },
  {
    id: 'M-RS-102',
    mistake: 'puts quotation marks into the challenge without escaping them',
    breaks: ['RS-ERR-4'],
    variant: () => ({
      parts: () => ({
        challengeFor: (refusal, realm) =>
          challengeFor({ ...refusal, description: 'TEXT' }, realm).replace(
            'TEXT',
            refusal.description.replace(/\b(?:proof|token)\b/, '"$&"'),
          ),
      }),
    }),
  },
  {
    id: 'M-RS-105',
    mistake: 'ends the connection with each 401',
    breaks: ['RS-ERR-8'],
    variant: () => ({
      listener: (inner) => (request, response) => {
        response.once('finish', () => {
          if (response.statusCode !== 401) return;
          if ('stream' in request) request.stream.session?.close();
          else request.socket.end();
        });
        inner(request, response);
      },
    }),
  },
  {
    id: 'M-RS-330',
    mistake: 'takes no proof on a connection on which one was missing',
    breaks: ['RS-ERR-8'],
    variant: () => {
      const spoilt = new WeakSet<object>();
      const { run } = defaultPresentationChecks.get('proof-present');
      return {
        parts: () => ({
          checks: defaultPresentationChecks.with('proof-present', (presentation, parts) => {
            const { key, confirmation } = presentation;
            if (confirmation.kind === 'session' && spoilt.has(key)) return missingProof();
            const refusal = run(presentation, parts);
            if (refusal !== undefined) spoilt.add(key);
            return refusal;
          }),
        }),
      };
    },
  },
  {
    id: 'M-RS-197',
    mistake: 'says use_session_binding whenever something is wrong with the proof',
    breaks: ['RS-ERR-3', 'RS-ERR-2'],
    variant: () => proofRefusal((refusal) => ({ ...refusal, error: 'use_session_binding' })),
  },
  {
    id: 'M-RS-198',
    mistake: 'explains failures in a language whose letters a challenge may not have',
    breaks: ['RS-ERR-4'],
    variant: () => ({
      parts: () => ({
        challengeFor: (refusal, realm) =>
          challengeFor({ ...refusal, description: 'TEXT' }, realm).replace(
            'TEXT',
            'Der Nachweis ist ung\u00fcltig',
          ),
      }),
    }),
  },
  {
    id: 'M-RS-199',
    mistake: 'counts a request before its proof is verified',
    breaks: ['RS-ERR-6'],
    variant: () => {
      let validate: TokenValidator | undefined;
      let count = 0;
      const counter = (): RequestListener =>
        protect((_request, response) => answer(response, 200, JSON.stringify({ count })), {
          validateToken: (token, now) => validate?.(token, now),
        });
      return {
        parts({ validateToken }) {
          validate = validateToken;
          return {};
        },
        listener(inner) {
          const counting = counter();
          return (request, response) => {
            const counts = isUnder(pathOf(request), `${PROTECTED_PATH}/counter`);
            if (counts && request.method === 'POST') count += 1;
            (counts ? counting : inner)(request, response);
          };
        },
      };
    },
  },
  {
    id: 'M-RS-830',
    mistake:
      'takes in what a POST or PUT brings before the proof is verified, and has no counter to show it by',
    breaks: ['RS-ERR-6'],
    lacks: ['counter'],
    variant: () => versioned((take) => take()),
  },
  {
    id: 'M-RS-200',
    mistake: 'sets the status of a refusal and goes on to the handler',
    breaks: ['RS-ERR-6'],
    variant: () => {
      let validate: TokenValidator | undefined;
      return {
        parts({ validateToken }) {
          validate = validateToken;
          return {};
        },
        listener: (inner) => (request, response) => {
          const end = response.end.bind(response);
          const token = /^bearer +(.*)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
          const finish = async (text: unknown): Promise<void> => {
            const grant =
              response.statusCode === 401 ? await validate?.(token, Date.now() / 1000) : undefined;
            const body = grant === undefined ? String(text) : JSON.stringify({ sub: grant.subject });
            if (!response.headersSent) response.setHeader('Content-Length', Buffer.byteLength(body));
            end(body);
          };
          Object.defineProperty(response, 'end', { value: (text: unknown) => void finish(text ?? '') });
          inner(request, response);
        },
      };
    },
  },
  {
    id: 'M-RS-201',
    mistake: 'quotes the proof that fails in the refusal',
    breaks: ['RS-ERR-9'],
    variant: () =>
      proofRefusal((refusal, { proofs }) => ({
        ...refusal,
        description: `${refusal.description}: ${proofs[0] ?? ''}`,
      })),
  },
  {
    id: 'M-RS-202',
    mistake: 'tells in the refusal which exporter value was expected',
    breaks: ['RS-ERR-9'],
    variant: () =>
      proofRefusal((refusal, { connection }) => ({
        ...refusal,
        description: `${refusal.description}, expected ${encodeBase64url(connection.exporter)}`,
      })),
  },
];
