import { createDpopVerifier } from '../dpop/verify.ts';
import { createVerifier } from '../proof/verify.ts';
import { connectionKeyOf } from '../resource-server/connection.ts';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { answer } from '../resource-server/protect.ts';
import { discardBody } from '../resource-server/request-body.ts';
import { tlsOptionsFor } from '../resource-server/server.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { ending } from './transport.ts';
import type { Variant } from './variant.ts';

const HEADER_LIMIT = 4096;
const CONTENT_LIMIT = 64;
const FIELDS = 16;
const TOKENS = 10;
const STREAMS = 2;
const IDLE_MS = 3000;

/** Answers a request that is too large with this status. */
function limiting(status: number, tooLarge: (request: HttpRequest) => boolean): TargetVariant {
  return {
    listener: (inner) => (request, response) => {
      if (!tooLarge(request)) return inner(request, response);
      answer(response, status, 'the request is too large');
      discardBody(request);
    },
  };
}

/** Ends a connection on which several tokens were used, after the response. */
function endingAfterTokens(count: number): TargetVariant {
  const seen = new WeakMap<object, Set<string>>();
  const inner = ending((_, connection) => (seen.get(connection)?.size ?? 0) >= count);
  return {
    listener: (next) => {
      const listener = inner.listener?.(next) ?? next;
      return (request, response) => {
        const connection = connectionKeyOf(request) ?? request;
        const tokens = seen.get(connection) ?? new Set<string>();
        seen.set(connection, tokens.add(fieldValues(request, 'authorization').join()));
        listener(request, response);
      };
    },
  };
}

/** Ends connections that nothing has been under way on for a while. */
function endingIdle(milliseconds: number): TargetVariant {
  const timers = new WeakMap<object, NodeJS.Timeout>();
  return {
    listener: (inner) => (request, response) => {
      const connection = connectionKeyOf(request) ?? request;
      clearTimeout(timers.get(connection));
      response.once('finish', () => {
        clearTimeout(timers.get(connection));
        const end = () => ('stream' in request ? request.stream.session?.close() : request.socket.end());
        timers.set(connection, setTimeout(end, milliseconds).unref());
      });
      inner(request, response);
    },
  };
}

/** Strict limits: on the age of proofs, and on the size and number of what a client sends. */
export const strictLimitVariants: readonly Variant[] = [
  {
    id: 'V-RS-iat-ten-seconds',
    difference: 'accepts proofs that are at most 10 seconds old',
    variant: () => ({
      parts: () => ({ verifyProof: createVerifier({ rules: { pastSeconds: 10, futureSeconds: 10 } }) }),
    }),
  },
  {
    id: 'V-RS-iat-five-seconds',
    difference: 'accepts proofs that are at most 5 seconds old, also those that it has verified before',
    variant: () => ({
      parts: () => ({
        verifyProof: createVerifier({ rules: { pastSeconds: 5, futureSeconds: 3 } }),
        bindings: { get: () => undefined, set: () => undefined },
      }),
    }),
  },
  {
    id: 'V-RS-dpop-iat-five-seconds',
    difference: 'accepts DPoP proofs that are at most 5 seconds old',
    variant: () => ({
      parts: () => ({ verifyDpop: createDpopVerifier({ rules: { pastSeconds: 5, futureSeconds: 3 } }) }),
    }),
  },
  {
    id: 'V-RS-idle-three-seconds',
    difference: `ends connections on which nothing has been under way for ${IDLE_MS / 1000} seconds`,
    variant: () => endingIdle(IDLE_MS),
  },
  {
    id: 'V-RS-ten-tokens',
    difference: `ends a connection after the response to its ${TOKENS}th token`,
    also: ['TLSv1.3 h2 P-256'],
    variant: () => endingAfterTokens(TOKENS),
  },
  {
    id: 'V-RS-two-streams',
    difference: `allows ${STREAMS} streams of an HTTP/2 connection at once`,
    also: ['TLSv1.3 h2 P-256'],
    variant: () => ({
      tls: (material) => ({ ...tlsOptionsFor(material), settings: { maxConcurrentStreams: STREAMS } }),
    }),
  },
  {
    id: 'V-RS-small-headers',
    difference: `answers header sections of more than ${HEADER_LIMIT} octets with 431`,
    variant: () => limiting(431, ({ rawHeaders }) => rawHeaders.join('').length > HEADER_LIMIT),
  },
  {
    id: 'V-RS-few-fields',
    difference: `answers requests with more than ${FIELDS} fields with 431`,
    variant: () => limiting(431, ({ rawHeaders }) => rawHeaders.length / 2 > FIELDS),
  },
  {
    id: 'V-RS-long-paths',
    difference: 'answers request targets of more than 128 octets with 414',
    variant: () => limiting(414, ({ url }) => (url ?? '').length > 128),
  },
  {
    id: 'V-RS-small-content',
    difference: `answers requests with more than ${CONTENT_LIMIT} octets of content with 413`,
    variant: () => limiting(413, ({ headers }) => Number(headers['content-length'] ?? 0) > CONTENT_LIMIT),
  },
];
