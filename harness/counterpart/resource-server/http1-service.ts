import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Field } from '../../wire/connection.ts';
import { CUT_LENGTH, CUT_OCTETS, type Desk } from './answering.ts';
import type { BookedRequest } from './book.ts';
import type { Answer } from './contract.ts';
import type { ServedConnection } from './served-connection.ts';
import { endAfterCut, writeOctets } from './writing.ts';

/** Room for proofs and tokens of every size that makes sense, in octets. */
const MAX_HEADER = 131_072;

interface Served {
  readonly connection: ServedConnection;
  readonly desk: Desk;
  readonly continues: boolean;
}

/** HTTP/1.1 on connections that are secured already. */
export class Http1Service {
  readonly #served = new WeakMap<Duplex, Served>();
  readonly #server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: MAX_HEADER,
    // The client decides how long a connection is kept.
    keepAliveTimeout: 0,
    requestTimeout: 0,
    headersTimeout: 0,
    requireHostHeader: false,
  });

  constructor() {
    const server = this.#server;
    server.maxHeadersCount = 0;
    const serve = (message: IncomingMessage, response: ServerResponse): void => {
      this.#serve(message, response);
    };
    server.on('request', serve);
    server.on('checkExpectation', serve);
    server.on('checkContinue', (message: IncomingMessage, response: ServerResponse) => {
      if (this.#served.get(message.socket)?.continues === true) response.writeContinue();
      serve(message, response);
    });
    server.on('connect', (message: IncomingMessage, socket: Duplex) => {
      this.#tunnel(message, socket);
    });
    server.on('clientError', (error: Error, socket: Duplex) => {
      if ('code' in error && String(error.code).startsWith('HPE_')) {
        const what =
          error.code === 'HPE_INVALID_EOF_STATE'
            ? 'the client ended the connection in the middle of a request'
            : `the client sent what is not HTTP/1.1: ${error.message}`;
        this.#served.get(socket)?.connection.note(what);
        if (socket.writable)
          socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      } else socket.destroy();
    });
  }

  /** @param continues whether 100 (Continue) is sent to who asks for it */
  serve(connection: ServedConnection, desk: Desk, continues = true): void {
    this.#served.set(connection.stream, { connection, desk, continues });
    this.#server.emit('connection', connection.stream);
  }

  #serve(message: IncomingMessage, response: ServerResponse): void {
    const served = this.#served.get(message.socket);
    if (served === undefined) return;
    const request = this.#arrived(message, served);
    if (request === undefined) return;
    message.on('data', (chunk: Buffer) => {
      request.append(chunk);
    });
    // A request that breaks off in the middle has nobody to answer to.
    message.on('error', () => undefined);
    response.on('error', () => undefined);
    const answer = (how: Answer): void => {
      try {
        reply(how, response, served.connection);
      } catch (error) {
        served.desk.fault(`this answer cannot be sent: ${String(error)}`);
        served.connection.reset();
      }
    };
    const early = served.desk.decideEarly(request);
    if (early !== undefined) answer(early);
    message.on('end', () => {
      request.complete = true;
      request.trailers = pairsOf(message.rawTrailers);
      if (early === undefined) void served.desk.decide(request).then(answer);
    });
  }

  /** CONNECT: no tunnel is ever opened, but the request is entered and answered. */
  #tunnel(message: IncomingMessage, socket: Duplex): void {
    const served = this.#served.get(socket);
    if (served === undefined) return;
    const request = this.#arrived(message, served);
    if (request === undefined) return;
    void served.desk.decide(request).then((answer) => {
      const status = answer.kind === 'response' ? answer.status : 502;
      if (socket.writable)
        socket.end(`HTTP/1.1 ${status} No Tunnel\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    });
  }

  #arrived(message: IncomingMessage, { connection, desk }: Served): BookedRequest | undefined {
    const fields = pairsOf(message.rawHeaders);
    const request = desk.arrived(connection, {
      method: message.method ?? '',
      target: message.url ?? '',
      authority: fields.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? '',
      fields,
    });
    if (request === undefined) connection.reset();
    return request;
  }
}

function reply(answer: Answer, response: ServerResponse, connection: ServedConnection): void {
  response.sendDate = false;
  switch (answer.kind) {
    case 'response': {
      const { status, fields, body, closes = false } = answer;
      const octets = Buffer.from(body);
      const head = [...fields];
      const has = (name: string): boolean => head.some(([key]) => key.toLowerCase() === name);
      const bodyless = status === 204 || status === 304;
      if (!bodyless && !has('content-length') && !has('transfer-encoding'))
        head.push(['Content-Length', String(octets.length)]);
      if (closes && !has('connection')) head.push(['Connection', 'close']);
      response.writeHead(status, head.flat());
      if (closes) {
        connection.announceEnd();
        response.on('finish', () => void connection.end());
      }
      response.end(bodyless ? undefined : octets);
      break;
    }
    case 'held': {
      const octets = Buffer.from(answer.body);
      response.writeHead(answer.status, [...answer.fields, ['Content-Length', String(octets.length)]].flat());
      response.write(octets.subarray(0, answer.first));
      void answer.until.then(() => response.end(octets.subarray(answer.first)));
      break;
    }
    case 'cut': {
      connection.announceEnd();
      response.writeHead(answer.status, ['Content-Length', String(CUT_LENGTH)]);
      response.write(CUT_OCTETS, () => void endAfterCut(answer, connection));
      break;
    }
    case 'octets':
      void writeOctets(answer, connection, 0);
      break;
    case 'reset':
      connection.reset();
      break;
    default:
      void connection.end();
  }
}

function pairsOf(flat: readonly string[]): readonly Field[] {
  const fields: Field[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) fields.push([flat[i] ?? '', flat[i + 1] ?? '']);
  return fields;
}
