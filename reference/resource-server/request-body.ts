import { constants } from 'node:http2';
import type { HttpRequest } from './http-message.ts';

/** Longest request body that is read and thrown away, in octets. */
const MAXIMUM_BODY = 1_048_576;

/**
 * Reads a request's body and throws it away, so that the connection can go on to its next request.
 * A body that does not end within the limit ends its stream (HTTP/2) or connection (HTTP/1.1).
 */
export function discardBody(request: HttpRequest, limit = MAXIMUM_BODY): void {
  let received = 0;
  request.on('error', () => {});
  request.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received <= limit) return;
    if ('stream' in request) request.stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    else request.destroy();
  });
}
