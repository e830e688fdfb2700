import { timingSafeEqual } from 'node:crypto';
import { type JsonObject, parseProof } from '../proof/parse.ts';
import { PROOF_FIELD_LOWER } from '../proof/vocabulary.ts';
import { fieldValues } from '../resource-server/http-message.ts';
import type { Mutant } from './mutant.ts';
import { decoded, objectOf, withRules } from './proof-variants.ts';

/** A part of a proof, read without a thought for what it may be. */
function read(part: string | undefined): JsonObject {
  return JSON.parse(decoded(part));
}

/** The members of a JSON object, each as its first occurrence in the text has it. */
function firstOccurrences(part: string | undefined): JsonObject {
  const text = decoded(part);
  return JSON.parse(text, (name, value: unknown) => {
    const first = new RegExp(`(?:^\\{|,)"${name}":("[^"]*"|-?\\d+)`).exec(text)?.[1];
    return name === '' || first === undefined ? value : (JSON.parse(first) as unknown);
  });
}

/** Mistakes with proofs that are no JWTs, or ambiguous ones (RFC 7515 §5.2, RFC 7519 §4). */
export const malformedMutants: readonly Mutant[] = [
  {
    id: 'M-RS-68',
    mistake: 'does not catch what goes wrong while a proof is read, and answers 500',
    breaks: ['RS-PL-17'],
    variant: () =>
      withRules({
        parse(compact) {
          for (const part of compact.split('.').slice(0, 2)) read(part);
          return parseProof(compact);
        },
      }),
  },
  {
    id: 'M-RS-156',
    mistake: 'looks for each member of header and payload by its text and takes the first one found',
    breaks: ['RS-PL-16'],
    variant: () =>
      withRules({
        parse(compact) {
          const proof = parseProof(compact);
          if ('code' in proof) return proof;
          const [header, claims] = compact.split('.');
          return { ...proof, header: firstOccurrences(header), claims: firstOccurrences(claims) };
        },
      }),
  },
  {
    id: 'M-RS-340',
    mistake:
      'compares in constant time what has as many characters, though not as many octets, which is an error that nothing catches',
    breaks: ['RS-PL-17'],
    variant: () =>
      withRules({
        same: (expected, received) =>
          expected.length === received.length &&
          timingSafeEqual(Buffer.from(expected), Buffer.from(received)),
      }),
  },
  {
    id: 'M-RS-342',
    mistake:
      'copies header and claims by recursion, however deep they are, and nothing catches the overflow of the stack',
    breaks: ['RS-PL-17'],
    variant: () =>
      withRules({
        parse(compact) {
          for (const part of compact.split('.').slice(0, 2)) structuredClone(objectOf(decoded(part)));
          return parseProof(compact);
        },
      }),
  },
  {
    id: 'M-RS-157',
    mistake: 'ends the connection when a proof cannot be read',
    breaks: ['RS-PL-17'],
    variant: () => ({
      listener: (inner) => (request, response) => {
        try {
          for (const proof of fieldValues(request, PROOF_FIELD_LOWER)) read(proof.split('.')[1]);
        } catch {
          const connection = 'stream' in request ? request.stream.session : request.socket;
          connection?.destroy();
          return;
        }
        inner(request, response);
      },
    }),
  },
];
