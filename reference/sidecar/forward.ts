import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Dispatcher } from 'undici';
import type { Problem } from './destination.ts';
import { codeOf } from './failure.ts';
import type { SidecarParts } from './parts.ts';

export interface ForwardOptions {
  /** Sends requests to the server and proves their tokens. */
  readonly dispatcher: Dispatcher;
  readonly upstream: URL;
  readonly parts: SidecarParts;
  /** How long the server may take to begin its response, and to go on with it, in milliseconds. */
  readonly timeoutMs: number;
  readonly log?: ((line: string) => void) | undefined;
}

/**
 * The body of a request, as it comes; a server that answers before its end must not cut off the agent. A trailer section
 * is dropped, as an intermediary may (RFC 9110 §6.5.1): undici sends none, and an agent's proof could stand in it.
 */
function bodyOf(request: IncomingMessage): Readable | null {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  if (coding === undefined && !(Number(length) > 0)) return null;
  const body = new PassThrough();
  body.once('close', () => request.unpipe(body).resume());
  return request.pipe(body);
}

function answer(response: ServerResponse, { status, text }: Problem): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = Buffer.from(`${text}\n`);
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length });
  response.end(body);
}

async function relay(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  { dispatcher, upstream, parts, timeoutMs }: ForwardOptions,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { statusCode, headers, body, trailers } = await dispatcher.request({
    origin: upstream.origin,
    path,
    method: request.method ?? 'GET',
    headers: parts.requestFields(request),
    body: bodyOf(request),
    signal: gone.signal,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  response.statusCode = statusCode;
  for (const [name, value] of parts.responseFields(headers)) response.setHeader(name, value);
  await pipeline(body, response, { end: false });
  response.addTrailers(trailers);
  response.end();
}

/**
 * Sends each request on to the server and relays the response, both as they come. A redirection is the
 * agent's to follow, and so is any other response.
 */
export function createForwarder(options: ForwardOptions): RequestListener {
  const { parts, upstream, log } = options;
  return (request, response) => {
    const begun = performance.now();
    let code: string | undefined;
    response.once('close', () => {
      const milliseconds = Math.round(performance.now() - begun);
      // 499: the agent was gone before there was an answer.
      const status = response.headersSent ? response.statusCode : 499;
      log?.(parts.logLine({ request, status, milliseconds, ...(code !== undefined && { code }) }));
    });
    const path = parts.destinationOf(request, upstream);
    if (typeof path !== 'string') {
      answer(response, path);
      return;
    }
    relay(request, response, path, options).catch((error: unknown) => {
      code = codeOf(error);
      answer(response, parts.problemOf(error));
    });
  };
}
