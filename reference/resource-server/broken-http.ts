import type { Duplex } from 'node:stream';

const STATUS_LINES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** How long a client may go on sending after its answer, in milliseconds. */
const LINGER = 500;

/**
 * Answers what is not HTTP/1.1 and ends the connection. It is not cut off at once: octets still
 * under way would turn the close into a reset, and the client would lose the answer (RFC 9112 §9.6).
 */
export function answerBrokenHttp(error: Error, socket: Duplex): void {
  if (socket.writableEnded) return;
  const code = 'code' in error ? String(error.code) : '';
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const statusLine = STATUS_LINES[code] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${statusLine}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => clearTimeout(timer));
}
