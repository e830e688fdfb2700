import type { Dispatcher } from 'undici';

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Whether a body can be sent a second time: a stream is gone once it was read. */
export function isKept(body: Dispatcher.DispatchOptions['body']): boolean {
  return body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array;
}

/** Source: RFC 9110 §9.2.2. */
export function isRepeatable({ method, body }: Dispatcher.DispatchOptions): boolean {
  return IDEMPOTENT.has(method) && isKept(body);
}
