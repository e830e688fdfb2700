import { constants, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import type { Field } from '../../wire/connection.ts';
import { CUT_LENGTH, CUT_OCTETS, type Desk } from './answering.ts';
import type { Answer } from './contract.ts';
import { Http2Octets } from './http2-octets.ts';
import type { ServedConnection } from './served-connection.ts';
import { endAfterCut, writeOctets } from './writing.ts';

const { NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;

const DEFAULT_MAX_CONCURRENT_STREAMS = 100;
const MAX_HEADER = 131_072;

/** Fields that HTTP/2 does not have (RFC 9113 §8.2.2); left out of an answer. */
const CONNECTION_SPECIFIC = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** No `date` of Node's own; its type declarations do not know that option yet. */
const AS_TOLD = { endStream: false, sendDate: false };

/** HTTP/2 on a connection that agreed to it; its streams are answered in parallel. */
export function serveHttp2(
  connection: ServedConnection,
  desk: Desk,
  maxConcurrentStreams = DEFAULT_MAX_CONCURRENT_STREAMS,
): void {
  const octets = new Http2Octets(connection.stream);
  const session = performServerHandshake(octets.stream, {
    settings: { maxConcurrentStreams, maxHeaderListSize: MAX_HEADER, enablePush: false },
    strictSingleValueFields: false,
  });
  let newest = 0;
  /** Streams above it are not served any more. */
  let last = Number.POSITIVE_INFINITY;
  connection.http2 = {
    goAway: (lastStreamId = Math.min(newest, last)) => {
      last = Math.min(last, lastStreamId);
      octets.goAway(last);
    },
  };
  session.on('error', (error: Error) => {
    connection.note(`the HTTP/2 connection broke: ${error.message}`);
  });
  session.on('stream', (stream: ServerHttp2Stream, _headers, _flags, raw: unknown) => {
    const id = stream.id ?? 0;
    newest = Math.max(newest, id);
    const request = desk.arrived(connection, headOf(raw));
    if (request === undefined) {
      connection.reset();
      return;
    }
    stream.on('trailers', (_trailers, _trailerFlags, rawTrailers: unknown) => {
      request.trailers = headOf(rawTrailers).fields;
    });
    stream.on('data', (chunk: Buffer) => {
      request.append(chunk);
    });
    stream.on('error', () => {
      // A stream that breaks off has nobody to answer to.
    });
    const answer = (how: Answer): void => {
      if (id > last) return;
      try {
        reply(how, stream, connection, octets);
      } catch (error) {
        desk.fault(`this answer cannot be sent: ${String(error)}`);
        connection.reset();
      }
    };
    const early = desk.decideEarly(request);
    if (early !== undefined) answer(early);
    stream.on('end', () => {
      // It comes for a stream that the client has reset, too.
      if (stream.aborted || stream.rstCode !== NGHTTP2_NO_ERROR) return;
      if (id > last) {
        request.answer = { kind: 'go-away' };
        return;
      }
      request.complete = true;
      if (early === undefined) void desk.decide(request).then(answer);
    });
  });
}

function reply(
  answer: Answer,
  stream: ServerHttp2Stream,
  connection: ServedConnection,
  octets: Http2Octets,
): void {
  if (answer.kind === 'go-away') {
    connection.goAway(Math.max(0, (stream.id ?? 0) - 2));
    return;
  }
  if (answer.kind === 'reset') {
    connection.reset();
    return;
  }
  if (answer.kind === 'end') {
    void connection.end();
    return;
  }
  if (stream.destroyed) return;
  switch (answer.kind) {
    case 'response': {
      const { status, body, closes = false } = answer;
      const fields = answer.fields
        .map(([name, value]): Field => [name.toLowerCase(), value])
        .filter(([name]) => !CONNECTION_SPECIFIC.has(name));
      const content = Buffer.from(body);
      const bodyless = status === 204 || status === 304;
      if (!bodyless && !fields.some(([name]) => name === 'content-length'))
        fields.push(['content-length', String(content.length)]);
      stream.respond([':status', String(status), ...fields.flat()], AS_TOLD);
      if (closes) {
        connection.announceEnd();
        stream.on('close', () => void connection.end());
      }
      stream.end(bodyless ? undefined : content);
      break;
    }
    case 'held': {
      const content = Buffer.from(answer.body);
      const fields = answer.fields.map(([name, value]) => [name.toLowerCase(), value]);
      fields.push(['content-length', String(content.length)]);
      stream.respond([':status', String(answer.status), ...fields.flat()], AS_TOLD);
      stream.write(content.subarray(0, answer.first));
      void answer.until.then(() => {
        if (!stream.destroyed) stream.end(content.subarray(answer.first));
      });
      break;
    }
    case 'cut': {
      connection.announceEnd();
      stream.respond([':status', String(answer.status), 'content-length', String(CUT_LENGTH)], AS_TOLD);
      stream.write(CUT_OCTETS, () => void endAfterCut(answer, connection));
      break;
    }
    case 'octets':
      // Frames of Node's own may not come in between; nothing follows either, since the connection ends.
      octets.silence();
      void writeOctets(answer, connection, stream.id ?? 0);
      break;
    case 'refuse-stream':
      stream.close(NGHTTP2_REFUSED_STREAM);
      break;
  }
}

function headOf(raw: unknown): {
  method: string;
  target: string;
  authority: string;
  fields: readonly Field[];
} {
  const pseudo = new Map<string, string>();
  const fields: Field[] = [];
  const flat: readonly unknown[] = Array.isArray(raw) ? raw : [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [name, value] = [String(flat[i]), String(flat[i + 1])];
    if (name.startsWith(':')) pseudo.set(name, value);
    else fields.push([name, value]);
  }
  const host = fields.find(([name]) => name === 'host')?.[1] ?? '';
  return {
    method: pseudo.get(':method') ?? '',
    target: pseudo.get(':path') ?? '',
    authority: pseudo.get(':authority') ?? host,
    fields,
  };
}
