import { AsyncLocalStorage } from 'node:async_hooks';
import { constants } from 'node:http2';
import { decodeJwt } from 'jose';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { connectionKeyOf } from '../resource-server/connection.ts';
import { accessTokenOf, bearerTokenOf, proofsOf } from '../resource-server/credentials.ts';
import type { HttpRequest } from '../resource-server/http-message.ts';
import { isJwt } from '../resource-server/jwt-tokens.ts';
import { invalidToken } from '../resource-server/refusal.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { readGrant, type Grant } from '../resource-server/token.ts';
import type { TokenValidator } from '../resource-server/token.ts';
import type { Mutant } from './mutant.ts';

/** The reference whose token validation knows which connection a token came on. */
function validatingOn(
  validate: (
    connection: object,
    token: string,
    now: number,
    inner: TokenValidator,
  ) => Promise<Grant | undefined>,
): TargetVariant {
  const connection = new AsyncLocalStorage<object>();
  return {
    parts: ({ validateToken }) => ({
      validateToken: (token, now) => validate(connection.getStore() ?? {}, token, now, validateToken),
    }),
    listener: (inner) => (request, response) =>
      connection.run(connectionKeyOf(request) ?? {}, () => inner(request, response)),
  };
}

function principalOfConnection(): TargetVariant {
  const subjects = new WeakMap<object, string | undefined>();
  return validatingOn(async (connection, token, now, inner) => {
    const grant = await inner(token, now);
    if (grant === undefined) return undefined;
    if (!subjects.has(connection)) subjects.set(connection, grant.subject);
    return { ...grant, subject: subjects.get(connection) };
  });
}

/** The reference with room for one token, or whatever is read from it, on a connection. */
function endingAtSecond(read: (token: string, request: HttpRequest) => unknown): TargetVariant {
  const first = new WeakMap<object, unknown>();
  return {
    listener: (inner) => (request, response) => {
      const [key, token] = [connectionKeyOf(request), bearerTokenOf(request)];
      const found = typeof token === 'string' ? read(token, request) : undefined;
      if (key !== undefined && found !== undefined) {
        if (first.has(key) && first.get(key) !== found) {
          if ('stream' in request) request.stream.session?.destroy();
          else request.socket.destroy();
          return;
        }
        first.set(key, found);
      }
      inner(request, response);
    },
  };
}

function boundConnectionForAudience(): TargetVariant {
  const bound = new WeakSet();
  return validatingOn(async (connection, token, now, inner) => {
    const grant = await inner(token, now);
    if (grant !== undefined) bound.add(connection);
    if (grant !== undefined || !bound.has(connection) || !isJwt(token)) return grant;
    const claims = decodeJwt(token);
    return (claims.exp ?? 0) > now ? readGrant(claims) : undefined;
  });
}

function retiresTokens(): TargetVariant {
  const current = new WeakMap<object, string>();
  const retired = new WeakMap<object, Set<string>>();
  const turns = new WeakMap<object, Promise<unknown>>();
  const { run } = defaultPresentationChecks.get('proof');
  // Which of several requests came first must not hang on whose token is validated first.
  const inTurn = validatingOn((connection, token, now, inner) => {
    const turn = Promise.resolve(turns.get(connection)).then(() => inner(token, now));
    turns.set(
      connection,
      turn.catch(() => undefined),
    );
    return turn;
  });
  return {
    ...inTurn,
    parts: (defaults) => ({
      ...inTurn.parts?.(defaults),
      checks: defaultPresentationChecks.with('proof', (presentation, parts) => {
        const { key, tokenHash } = presentation;
        const old = retired.get(key) ?? new Set();
        if (old.has(tokenHash)) return invalidToken('the token was replaced by a newer one');
        const refusal = run(presentation, parts);
        const before = current.get(key);
        if (refusal === undefined && before !== tokenHash) {
          current.set(key, tokenHash);
          if (before !== undefined) retired.set(key, old.add(before));
        }
        return refusal;
      }),
    }),
  };
}

function oneTokenOnly(): TargetVariant {
  const tokens = new WeakMap<object, string>();
  const { run } = defaultPresentationChecks.get('proof');
  return {
    parts: () => ({
      checks: defaultPresentationChecks.with('proof', (presentation, parts) => {
        const { key, tokenHash } = presentation;
        const first = tokens.get(key);
        if (first !== undefined && first !== tokenHash) return invalidToken('another token is bound here');
        const refusal = run(presentation, parts);
        if (refusal === undefined) tokens.set(key, tokenHash);
        return refusal;
      }),
    }),
  };
}

function currentRequestOfConnection(): TargetVariant {
  const current = new WeakMap<object, HttpRequest>();
  return {
    parts: () => ({
      tokenOf(request) {
        current.set(connectionKeyOf(request) ?? request, request);
        return bearerTokenOf(request);
      },
      proofsOf: (request) => proofsOf(current.get(connectionKeyOf(request) ?? request) ?? request),
    }),
  };
}

function lastProofOfConnection(): TargetVariant {
  const last = new WeakMap<object, readonly string[]>();
  const taken = new WeakMap<HttpRequest, readonly string[]>();
  return {
    parts: () => ({
      // Settled as requests arrive: which proof is the last must not hang on whose token is validated first.
      tokenOf(request) {
        const key = connectionKeyOf(request) ?? {};
        const own = proofsOf(request);
        if (own.length > 0) last.set(key, own);
        taken.set(request, last.get(key) ?? own);
        return accessTokenOf(request);
      },
      proofsOf: (request) => taken.get(request) ?? [],
    }),
  };
}

function endsWithReset(): TargetVariant {
  return {
    listener: (inner) => (request, response) => {
      if ('stream' in request) {
        const { stream } = request;
        const { session } = stream;
        stream.once('close', () => {
          if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) session?.destroy();
        });
      }
      inner(request, response);
    },
  };
}

/** Connections have owners, once one subject has been served there often enough, and others that come on them are its guests. */
function keepsGuests(): TargetVariant {
  const owners = new WeakMap<object, { readonly subject: string | undefined; served: number }>();
  const guests = new Set<string | undefined>();
  const { run } = defaultPresentationChecks.get('proof');
  return {
    parts: () => ({
      checks: defaultPresentationChecks.with('proof', (presentation, parts) => {
        const { key, grant } = presentation;
        const refusal = run(presentation, parts);
        if (refusal !== undefined) return refusal;
        const owner = owners.get(key) ?? { subject: grant.subject, served: 0 };
        if (owner.served === 0 && guests.has(grant.subject))
          return invalidToken('the subject has no connections of its own');
        owners.set(key, owner);
        if (owner.subject === grant.subject) owner.served++;
        else if (owner.served >= 10) guests.add(grant.subject);
        return undefined;
      }),
    }),
  };
}

function takesStreamForConnection(): TargetVariant {
  const streams = new Map<string, object>();
  const { run } = defaultPresentationChecks.get('proof');
  return {
    ...endsWithReset(),
    parts: () => ({
      checks: defaultPresentationChecks.with('proof', (presentation, parts) => {
        const { request, proofs } = presentation;
        const refusal = run(presentation, parts);
        if (refusal !== undefined || !('stream' in request)) return refusal;
        const [proof = ''] = proofs;
        const stream = streams.get(proof) ?? request.stream;
        streams.set(proof, stream);
        return stream === request.stream ? undefined : invalidToken('the proof is bound elsewhere');
      }),
    }),
  };
}

/** Mistakes with several tokens and many requests on one connection (draft -06 §3.3.1, §3.3.2, Appendix B.3). */
export const multiplexingMutants: readonly Mutant[] = [
  {
    id: 'M-RS-81',
    mistake: 'remembers the principal for the connection',
    breaks: ['RS-MUX-3', 'RS-MUX-4', 'RS-MUX-6'],
    variant: principalOfConnection,
  },
  {
    id: 'M-RS-82',
    mistake: 'binds one token only to a connection',
    breaks: [
      'RS-CACHE-12',
      'RS-MUX-1',
      'RS-MUX-3',
      'RS-MUX-4',
      'RS-MUX-5',
      'RS-MUX-6',
      'RS-MUX-9',
      'RS-EKM-7',
      'RS-EKM-8',
    ],
    variant: oneTokenOnly,
  },
  {
    id: 'M-RS-860',
    mistake: 'ends a connection on which a second token comes',
    breaks: ['RS-MUX-1'],
    also: ['TLSv1.3 h2 P-256'],
    variant: () => endingAtSecond((token) => token),
  },
  {
    id: 'M-RS-861',
    mistake: 'ends an HTTP/1.1 connection on which a token of another subject comes',
    breaks: ['RS-MUX-1'],
    variant: () =>
      endingAtSecond((token, { httpVersionMajor }) =>
        httpVersionMajor === 1 && isJwt(token) ? decodeJwt(token).sub : undefined,
      ),
  },
  {
    id: 'M-RS-328',
    mistake: 'takes a refreshed token for the end of those that came before it on the connection',
    breaks: ['RS-MUX-5'],
    variant: retiresTokens,
  },
  {
    id: 'M-RS-329',
    mistake: 'takes the token that a proof first came with where a request has that proof and no token',
    breaks: ['RS-MUX-3'],
    variant: () => {
      const tokens = new Map<string, string>();
      return {
        parts: () => ({
          tokenOf(request) {
            const [proof = ''] = proofsOf(request);
            const token = bearerTokenOf(request);
            if (typeof token !== 'string') return tokens.get(proof) ?? token;
            if (!tokens.has(proof)) tokens.set(proof, token);
            return token;
          },
        }),
      };
    },
  },
  {
    id: 'M-RS-120',
    mistake:
      'takes a bound connection for a check of the audience, and does not validate further tokens on it',
    breaks: ['RS-CACHE-1', 'RS-CACHE-6', 'RS-MUX-8', 'RS-T5', 'RS-TOK-1', 'RS-TOK-4'],
    variant: boundConnectionForAudience,
  },
  {
    id: 'M-RS-346',
    mistake: 'takes the reset of one stream for the end of the connection',
    breaks: ['RS-MUX-3'],
    variant: endsWithReset,
  },
  {
    id: 'M-RS-438',
    mistake:
      'takes an HTTP/2 stream for the connection: a proof holds for the one that it first came on, and the reset of one ends them all',
    breaks: ['RS-MUX-3'],
    variant: takesStreamForConnection,
  },
  {
    id: 'M-RS-445',
    mistake:
      'takes a connection for that of the subject of its first ten requests, and refuses others that came on it where they open a connection of their own',
    breaks: ['RS-MUX-6'],
    variant: keepsGuests,
  },
  {
    id: 'M-RS-214',
    mistake: 'keeps the request that it works on with the connection, where the next one takes its place',
    breaks: ['RS-MUX-3', 'RS-MUX-4'],
    variant: currentRequestOfConnection,
  },
  {
    id: 'M-RS-215',
    mistake: 'takes the last proof of the connection where a request has none',
    breaks: ['RS-CACHE-9', 'RS-MUX-3', 'RS-MUX-4', 'RS-CNF-1', 'RS-ERR-3', 'RS-FLD-1'],
    variant: lastProofOfConnection,
  },
];
