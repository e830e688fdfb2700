import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { destinationOf, type Problem } from './destination.ts';
import { problemOf } from './failure.ts';
import { requestFields, responseFields } from './fields.ts';

/** One request of an agent's and what became of it, for the log. */
export interface Access {
  readonly request: IncomingMessage;
  readonly status: number;
  readonly milliseconds: number;
  /** Code of the error, where the answer is the sidecar's own. */
  readonly code?: string;
}

/** The pieces that a sidecar is put together from. Each has one default; to change behaviour, give another piece. */
export interface SidecarParts {
  readonly destinationOf: (request: IncomingMessage, upstream: URL) => string | Problem;
  readonly requestFields: (request: IncomingMessage) => string[];
  readonly responseFields: (headers: IncomingHttpHeaders) => [string, string | string[]][];
  readonly problemOf: (error: unknown) => Problem;
  readonly logLine: (access: Access) => string;
  /** The address to listen on, given the one that is set. */
  readonly hostFor: (host: string) => string;
}

/** Without the query, which may hold anything. */
function logLine({ request, status, milliseconds, code }: Access): string {
  const path = (request.url ?? '').replace(/[?#].*$/s, '');
  return `${request.method} ${path} → ${status} in ${milliseconds} ms${code === undefined ? '' : ` (${code})`}`;
}

export const defaultSidecarParts: SidecarParts = {
  destinationOf,
  requestFields: ({ rawHeaders, headers }) => requestFields(rawHeaders, headers.connection),
  responseFields,
  problemOf,
  logLine,
  hostFor: (host) => host,
};
