import { timingSafeEqual } from 'node:crypto';
import { type JsonObject, parseProof } from '../proof/parse.ts';
import { PROOF_FIELD_LOWER } from '../proof/vocabulary.ts';
import { connectionKeyOf } from '../resource-server/connection.ts';
import { accessTokenOf, proofsOf } from '../resource-server/credentials.ts';
import { fieldValues } from '../resource-server/http-message.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';
import { decoded, objectOf, withRules } from './proof-variants.ts';

/** A part of a proof, read without a thought for what it may be. */
function read(part: string | undefined): JsonObject {
  return JSON.parse(decoded(part));
}

/** An error with a proof fails whatever is under way on its connection, or comes on it later. */
function failsConnection(): TargetVariant {
  const failed = new WeakSet();
  return {
    parts: () => ({
      // Read as the request arrives: which requests fail with it must not hang on whose token is validated first.
      tokenOf(request) {
        try {
          for (const proof of proofsOf(request)) readAscii(proof.split('.')[1]);
        } catch {
          failed.add(connectionKeyOf(request) ?? request);
        }
        return accessTokenOf(request);
      },
      proofsOf(request) {
        if (failed.has(connectionKeyOf(request) ?? request)) throw new Error('the connection has failed');
        return proofsOf(request);
      },
    }),
  };
}

/** @throws {Error} for what is no JSON, and for characters beyond ASCII in it */
function readAscii(part: string | undefined): void {
  read(part);
  if (/[^\0-\x7f]/.test(decoded(part))) throw new RangeError('a character beyond ASCII');
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
    id: 'M-RS-436',
    mistake:
      'notes with the connection that a proof could not be read as JSON in ASCII, and answers 500 to all requests on it',
    breaks: ['RS-PL-17'],
    also: ['TLSv1.3 h2 P-256'],
    variant: failsConnection,
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
