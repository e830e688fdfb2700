import { NONCE_FIELD } from '../dpop/vocabulary.ts';
import { admit, type Decision } from './admission.ts';
import type { HttpRequest, HttpResponse } from './http-message.ts';
import { defaultParts, type ResourceServerParts } from './parts.ts';
import { discardBody } from './request-body.ts';
import type { Refusal } from './refusal.ts';
import type { Grant, TokenValidator } from './token.ts';

/** Serves a request that was admitted. `grant` is that of the request's own token. */
export type ProtectedHandler = (
  request: HttpRequest,
  response: HttpResponse,
  grant: Grant,
) => void | Promise<void>;

export interface ProtectOptions {
  readonly validateToken: TokenValidator;
  /** Shown in challenges. Default `session-bound`. */
  readonly realm?: string;
  /** Told of each refusal, for a log; the response says less than this. */
  readonly onRefusal?: (refusal: Refusal, request: HttpRequest) => void;
  /**
   * Set where the server hands its `checkContinue` events to the listener, so that
   * `100 Continue` is sent only to requests that are admitted. Default false.
   */
  readonly answersExpect?: boolean;
  /** Parts to use instead of the defaults. */
  readonly parts?: Partial<ResourceServerParts>;
}

export type RequestListener = (request: HttpRequest, response: HttpResponse) => void;

function expectsContinue({ headers }: HttpRequest): boolean {
  return headers['expect']?.toLowerCase() === '100-continue';
}

/** Whether nobody is left to answer: an HTTP/2 stream that was reset throws when it is written to. */
function isGone(response: HttpResponse): boolean {
  return response.writableEnded || response.destroyed || ('stream' in response && response.stream.destroyed);
}

/** Answers with a status, one line of text and nothing of the request. */
export function answer(
  response: HttpResponse,
  status: number,
  text: string,
  fields: Readonly<Record<string, string>> = {},
): void {
  if (isGone(response)) return;
  const body = Buffer.from(`${text}\n`);
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', body.length);
  for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
  response.end(body);
}

/**
 * Wraps a request listener of `node:https` or `node:http2` (compatibility API) so that it sees only
 * requests whose access token is valid and, where the token demands it, proven for this very
 * TLS connection, and for the DPoP key that it is bound to. Others get `401` with a challenge, and the connection stays open for a retry.
 * The server has to ask for client certificates (`requestCert: true`).
 *
 * Source: draft -06 §3.3.2, §3.5, §4; RFC 9449 §7.
 *
 * @example
 * const listener = protect((request, response, grant) => response.end(grant.subject), { validateToken });
 * https.createServer({ key, cert, ca, requestCert: true, rejectUnauthorized: false }, listener);
 */
export function protect(handler: ProtectedHandler, options: ProtectOptions): RequestListener {
  const parts: ResourceServerParts = { ...defaultParts(options.validateToken), ...options.parts };
  const realm = options.realm ?? 'session-bound';

  function refuse(request: HttpRequest, response: HttpResponse, refusal: Refusal): void {
    options.onRefusal?.(refusal, request);
    // Whether a body follows is open where the client waits for 100 Continue in vain, so the connection ends.
    const ends = request.httpVersionMajor < 2 && expectsContinue(request);
    answer(response, refusal.status, refusal.description, {
      'WWW-Authenticate': parts.challengeFor(refusal, realm),
      ...(refusal.nonce !== undefined && { [NONCE_FIELD]: refusal.nonce }),
      ...(ends && { Connection: 'close' }),
    });
    discardBody(request);
  }

  async function serve(request: HttpRequest, response: HttpResponse): Promise<void> {
    const decision: Decision = await admit(request, parts);
    if (isGone(response)) return;
    if (!decision.admitted) return refuse(request, response, decision.refusal);
    if (options.answersExpect === true && expectsContinue(request)) response.writeContinue();
    await handler(request, response, decision.grant);
  }

  return (request, response) => {
    serve(request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else answer(response, 500, 'the request could not be served');
    });
  };
}
