import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { connectionKeyOf } from '../resource-server/connection.ts';
import type { HttpRequest } from '../resource-server/http-message.ts';
import { type Refusal, invalidToken } from '../resource-server/refusal.ts';
import { accessTokenOf } from '../resource-server/credentials.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { exporterOf } from '../tls/exporter.ts';
import { exporterTrustedOn } from '../tls/exporter-trust.ts';
import { withConnections } from './connections.ts';
import type { Mutant } from './mutant.ts';

/** Valid requests that are rejected for what came before them. */

const FEW = 5;
const SOME = 3;

function newestInTheProcess(): TargetVariant {
  let newest: Uint8Array | undefined;
  return {
    ...withConnections((connection) => ({ ...connection, exporter: newest ?? connection.exporter })),
    acceptsConnection(socket) {
      if (!exporterTrustedOn(socket)) return false;
      newest = exporterOf(socket);
      return true;
    },
  };
}

/** Keeps one exporter value for each client certificate: that of the connection that it came with last, or first. */
function oneForEachCertificate(which: 'first' | 'newest'): TargetVariant {
  const kept = new Map<string, Uint8Array>();
  const seen = new WeakSet();
  return withConnections((connection, request, key) => {
    // The two versions of HTTP are two listeners.
    const name = `${connection.certificate?.thumbprint} ${request.httpVersionMajor}`;
    if (!seen.has(key) && (which === 'newest' || !kept.has(name))) kept.set(name, connection.exporter);
    seen.add(key);
    return { ...connection, exporter: kept.get(name) ?? connection.exporter };
  });
}

/** Refuses what a count of the connection's requests with a token does not let through. */
function counting(refuses: (count: number) => boolean): TargetVariant {
  const counts = new WeakMap<object, number>();
  return {
    parts: () => ({
      tokenOf(request: HttpRequest): string | Refusal {
        const token = accessTokenOf(request);
        const key = connectionKeyOf(request);
        if (key === undefined || typeof token !== 'string') return token;
        const count = (counts.get(key) ?? 0) + 1;
        counts.set(key, count);
        return refuses(count) ? invalidToken('the connection has had its requests') : token;
      },
    }),
  };
}

/** Refuses a token that comes as one too many on a connection. */
function tokensOnEach(most: number): TargetVariant {
  const known = new WeakMap<object, Set<string>>();
  return {
    parts: () => ({
      tokenOf(request: HttpRequest): string | Refusal {
        const token = accessTokenOf(request);
        const key = connectionKeyOf(request);
        if (key === undefined || typeof token !== 'string') return token;
        const tokens = known.get(key) ?? new Set();
        known.set(key, tokens);
        if (tokens.size < most) tokens.add(token);
        return tokens.has(token) ? token : invalidToken('the connection is for other tokens');
      },
    }),
  };
}

function hashOfFirstToken(): TargetVariant {
  const first = new WeakMap<object, string>();
  const { run } = defaultPresentationChecks.get('proof');
  return {
    parts: () => ({
      checks: defaultPresentationChecks.with('proof', (presentation, parts) => {
        const token = first.get(presentation.key) ?? presentation.token;
        first.set(presentation.key, token);
        return run({ ...presentation, token }, parts);
      }),
    }),
  };
}

export const steadinessMutants: readonly Mutant[] = [
  {
    id: 'M-RS-780',
    mistake: 'compares every proof with the exporter value of the newest connection of the process',
    breaks: ['RS-MUX-9'],
    variant: newestInTheProcess,
  },
  {
    id: 'M-RS-781',
    mistake: 'keeps the exporter value by client certificate, where a newer connection takes its place',
    breaks: ['RS-MUX-9'],
    variant: () => oneForEachCertificate('newest'),
  },
  {
    id: 'M-RS-782',
    mistake: 'keeps the exporter value by client certificate, that of its first connection for ever',
    breaks: ['RS-MUX-9'],
    variant: () => oneForEachCertificate('first'),
  },
  {
    id: 'M-RS-783',
    mistake: `serves ${FEW} requests on a connection and refuses all that follow`,
    breaks: ['RS-MUX-9', 'RS-MUX-7'],
    variant: () => counting((count) => count > FEW),
  },
  {
    id: 'M-RS-784',
    mistake: 'refuses each third request on a connection',
    breaks: ['RS-MUX-9'],
    variant: () => counting((count) => count % 3 === 0),
  },
  {
    id: 'M-RS-785',
    mistake: 'serves the first token of a connection only',
    breaks: ['RS-MUX-9', 'RS-MUX-1', 'RS-MUX-5'],
    variant: () => tokensOnEach(1),
  },
  {
    id: 'M-RS-786',
    mistake: `has room for ${SOME} tokens on a connection and refuses further ones`,
    breaks: ['RS-MUX-1'],
    variant: () => tokensOnEach(SOME),
  },
  {
    id: 'M-RS-787',
    mistake: 'compares ath with the hash of the first token of the connection',
    breaks: ['RS-MUX-9', 'RS-MUX-1'],
    variant: hashOfFirstToken,
  },
];
