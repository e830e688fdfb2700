import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { Dispatcher } from 'undici';
import { clientsLike, following, OneRequestEach } from '../client-mutants/connections.ts';
import { proving, withParts } from '../client-mutants/making.ts';
import { resuming } from '../client-mutants/resumption.ts';
import { resending } from '../client-mutants/resending.ts';
import type { SessionBoundAgent } from '../client/agent.ts';
import { canonicalName } from '../client/request-fields.ts';
import { defaultClientParts } from '../client/parts.ts';
import { EXPORTER_LABEL, EXPORTER_LENGTH } from '../proof/vocabulary.ts';
import { defaultSidecarParts } from '../sidecar/parts.ts';
import { relayingTrailers } from '../client-mutants/trailers.ts';
import { isIdempotent, repeating } from '../client-mutants/endless.ts';
import { handmade, HANDMADE_LACKS } from '../client-mutants/reused-connections.ts';
import type { Problem } from '../sidecar/destination.ts';
import type { Surroundings } from '../sidecar/target.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import type { Variant } from './variant.ts';

/** What Node's types leave out: without a context OpenSSL uses the form that has none (RFC 5705 §4). */
interface WithoutContext {
  exportKeyingMaterial(length: number, label: string): Buffer;
}

function withoutContext(socket: TLSSocket): Buffer {
  const exporting: WithoutContext = socket as unknown as WithoutContext;
  return exporting.exportKeyingMaterial(EXPORTER_LENGTH, EXPORTER_LABEL);
}

/** A client for each token. */
class AgentForEachToken extends Dispatcher {
  readonly #agents = new Map<string, SessionBoundAgent>();
  readonly #make: () => SessionBoundAgent;

  constructor(surroundings: Surroundings) {
    super();
    this.#make = clientsLike(surroundings);
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { token = '' } = defaultClientParts.readFields(options.headers);
    const agent = this.#agents.get(token) ?? this.#make();
    this.#agents.set(token, agent);
    return agent.dispatch(options, handler);
  }
}

function refusingForgeries(request: IncomingMessage, upstream: URL): string | Problem {
  const isForged = Object.keys(request.headers)
    .map(canonicalName)
    .some((name) => /^(?:session-binding-proof|tls-exporter|client-cert(?:-chain)?)$/.test(name));
  if (isForged) return { status: 400, text: 'this is not for an agent to say' };
  if (request.method === 'TRACE') return { status: 405, text: 'there is no TRACE here' };
  return defaultSidecarParts.destinationOf(request, upstream);
}

/** What a client may ask on its own account, without credentials: whether a connection works, or a server is well. */
const WARM_UPS = [
  { method: 'HEAD', path: '/' },
  { method: 'OPTIONS', path: '/' },
  { method: 'GET', path: '/health' },
] as const;

/** Sends one of those before each request of an agent, and so at the beginning of every connection. */
function warmingUp(): ClientVariant {
  return {
    dispatcher: (client) => {
      let count = 0;
      return client.compose((dispatch) => (options, handler) => {
        const { origin } = options;
        const warmUp = WARM_UPS[count++ % WARM_UPS.length] ?? WARM_UPS[0];
        const proceed = (): void => void dispatch(options, handler);
        dispatch(
          { ...warmUp, ...(origin === undefined ? {} : { origin }) },
          { onResponseEnd: proceed, onResponseError: proceed },
        );
        return true;
      });
    },
  };
}

/** The longest content, and the longest header section, that an agent may send to a strict sidecar, in octets. */
const [CONTENT_LIMIT, HEADER_LIMIT] = [65_536, 4096];

function limiting(request: IncomingMessage, upstream: URL): string | Problem {
  if (Number(request.headers['content-length'] ?? 0) > CONTENT_LIMIT)
    return { status: 413, text: 'the content is too long' };
  if (request.rawHeaders.join('').length > HEADER_LIMIT)
    return { status: 431, text: 'the header section is too long' };
  return defaultSidecarParts.destinationOf(request, upstream);
}

/** Freedom in TLS and HTTP. */
export const transportVariants: readonly Variant[] = [
  {
    id: 'V-CL-exporter-without-context',
    difference:
      'exports without a context on TLS 1.2, which is another value than with an empty one (AMB-01)',
    also: ['TLSv1.2 http/1.1 P-256'],
    variant: () => withParts(() => ({ exporterOf: withoutContext })),
  },
  {
    id: 'V-CL-no-tls1.2',
    difference: 'speaks TLS 1.3 only',
    lacks: ['tls1.2'],
    variant: () => ({ client: { tls: { minVersion: 'TLSv1.3' } } }),
  },
  {
    id: 'V-CL-no-h2',
    difference: 'speaks HTTP/1.1 only',
    lacks: ['h2'],
    variant: () => ({ client: { allowH2: false } }),
  },
  {
    id: 'V-CL-resumes',
    difference: 'resumes TLS sessions, each for the certificate that it began with',
    also: ['TLSv1.2 http/1.1 P-256'],
    variant: () => resuming((identity) => identity.certificate),
  },
  {
    id: 'V-CL-connection-per-request',
    difference: 'opens a connection for each request',
    variant: () => ({ dispatcher: (_client, surroundings) => new OneRequestEach(surroundings) }),
  },
  {
    id: 'V-CL-connection-per-token',
    difference: 'keeps the connections of each token apart',
    variant: () => ({ dispatcher: (_client, surroundings) => new AgentForEachToken(surroundings) }),
  },
  {
    id: 'V-CL-closes-idle',
    difference: 'closes connections that nothing is under way on',
    variant: () => ({ client: { idleTimeoutMs: 1 } }),
  },
  {
    id: 'V-CL-repeats-idempotent',
    difference:
      'sends a GET or HEAD again, with another proof, where its connection ended without a response',
    variant: () => ({
      dispatcher: resending(
        () => undefined,
        ({ options, before }) =>
          before === 0 && /^(?:GET|HEAD)$/.test(options.method) ? options : undefined,
      ),
    }),
  },
  {
    id: 'V-CL-handmade-pool',
    difference: 'speaks HTTP/1.1 by hand, on a pool of its own, and repeats nothing',
    lacks: HANDMADE_LACKS,
    variant: () => handmade(),
  },
  {
    id: 'V-CL-expects-continue',
    difference:
      'passes an expectation of 100 (Continue) on, and sends the body after a tenth of a second without it',
    lacks: HANDMADE_LACKS,
    variant: () => handmade({ awaitsContinueMs: 100 }),
  },
  {
    id: 'V-CL-repeats-ten-times',
    difference:
      'repeats a request of an idempotent method up to ten times, where its connection ends or cannot be opened',
    // What was left unprocessed has been moved to another connection often enough.
    variant: () => repeating((request) => isIdempotent(request) && request.code !== 'connection-ended', 10),
  },
  {
    id: 'V-CL-repeats-posts',
    difference: 'is a client library that has kept the body of a POST, and repeats it once after 401',
    lacks: ['sidecar'],
    variant: () => ({
      dispatcher: resending(({ status, headers, options, before }) =>
        before === 0 && options.method === 'POST' && defaultClientParts.asksForProof(status, headers)
          ? options
          : undefined,
      ),
    }),
  },
  {
    id: 'V-CL-warms-up',
    difference: 'sends a HEAD, OPTIONS or GET /health request without a token before those of its agents',
    variant: warmingUp,
  },
  {
    id: 'V-CL-relays-trailers',
    difference:
      'relays the trailer section of an agent’s request, without what an agent may not say of proofs and certificates',
    lacks: HANDMADE_LACKS,
    variant: () =>
      relayingTrailers(
        (name) =>
          !/^(?:session-binding-proof|tls-exporter|client-cert(?:-chain)?)$/.test(canonicalName(name)),
      ),
  },
  {
    id: 'V-CL-one-at-a-time',
    difference: 'sends one request at a time',
    variant: () => ({ client: { connections: 1, streams: 1 } }),
  },
  {
    id: 'V-CL-old-connections-serve-all',
    difference: 'uses the connections of before for all tokens, after certificate and key were renewed',
    variant: () => proving(() => ({ knows: () => true })),
  },
  {
    id: 'V-CL-no-retry',
    difference: 'hands every refusal to the agent',
    variant: () => ({ client: { proofRetries: 0 } }),
  },
  {
    id: 'V-CL-follows-same-origin',
    difference: 'follows redirections within the server',
    variant: () => following((target, origin) => target.origin === origin.origin),
  },
  {
    id: 'V-CL-refuses-forgeries',
    difference:
      'answers 400 where an agent sends a proof, an exporter value or a certificate, and 405 to TRACE',
    variant: () => ({ sidecar: { destinationOf: refusingForgeries } }),
  },
  {
    id: 'V-CL-adds-fields',
    difference: 'adds Via and X-Forwarded-For to requests, and Via to responses',
    variant: () => ({
      sidecar: {
        requestFields: (request) =>
          defaultSidecarParts
            .requestFields(request)
            .concat('Via', '1.1 sidecar', 'X-Forwarded-For', '127.0.0.1', 'X-Forwarded-Proto', 'http'),
        responseFields: (headers) => [...defaultSidecarParts.responseFields(headers), ['Via', '1.1 sidecar']],
      },
    }),
  },
  {
    id: 'V-CL-limits',
    difference: `answers 413 to more than ${CONTENT_LIMIT} octets of content, and 431 to a header section of more than ${HEADER_LIMIT}`,
    variant: () => ({ sidecar: { destinationOf: limiting } }),
  },
];
