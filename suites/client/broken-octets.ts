import type { WrittenOctets } from '../../harness/counterpart/resource-server/contract.ts';
import type { HttpVersion } from '../../harness/wire/connection.ts';
import { FLAG, FRAME, fieldBlock, frame } from '../../harness/wire/http2-frames.ts';

/** What a server may send in place of a response: RFC 9112 §2.2, §5, §6.3; RFC 9113 §4, §5.4, §8.1. */

/** Octets of a head that does not end: more than any head that makes sense, and a bound. */
const LONG_HEAD = 1_048_576;
const PIECE = 16_384;
/** Interim responses in a row: more than any server sends, and a bound. */
const MANY = 2000;

/** How long a client has to end the connection by itself. */
const LINGER_MS = 500;

/** So long octets come one at a time where a response comes slowly. */
const SLOW_MS = 800;

/** One of them, given the text that it quotes where it quotes one. */
type Broken = readonly [what: string, octets: (quoted: string) => WrittenOctets['pieces'], sudden?: 'sudden'];

function text(...pieces: readonly string[]): WrittenOctets['pieces'] {
  return () => pieces.map((piece) => Buffer.from(piece, 'latin1'));
}

function* repeated(times: number, piece: Buffer): Generator<Buffer> {
  for (let i = 0; i < times; i++) yield piece;
}

function head(stream: number, fields: readonly (readonly [string, string])[], flags: number): Buffer {
  return frame(FRAME.headers, flags, stream, fieldBlock(fields));
}

/** The response to this stream, which is the last one: what is wrong with it is no reason to give up the connection. */
function last(stream: number, ...frames: readonly Buffer[]): readonly Buffer[] {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(stream);
  return [frame(FRAME.goAway, 0, 0, payload), ...frames];
}

const OK = [':status', '200'] as const;
const FILL = [['x-fill', 'a'.repeat(PIECE - 32)]] as const;

const HTTP1: readonly Broken[] = [
  ['the greeting of another protocol', () => text('SSH-2.0-tsbt\r\n')],
  ['octets at random', () => () => [Buffer.from('16030300010200ff00fe8180', 'hex')]],
  ['a head that breaks off', () => text('HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-'), 'sudden'],
  ['a status line with words for a status', () => text('HTTP/1.1 yes OK\r\nContent-Length: 0\r\n\r\n')],
  [
    'a head with two lengths',
    () => text('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 2\r\n\r\nhello'),
  ],
  [
    'a chunk whose length is no number',
    () => text('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n'),
  ],
  [
    'a head without end',
    () =>
      function* withoutEnd() {
        yield Buffer.from('HTTP/1.1 200 OK\r\n');
        yield* repeated(LONG_HEAD / PIECE, Buffer.from(`X-Fill: ${'a'.repeat(PIECE - 10)}\r\n`));
      },
  ],
  [
    'interim responses without end',
    () => () => repeated(MANY / 100, Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100))),
    'sudden',
  ],
];

const HTTP2: readonly Broken[] = [
  ['a response of HTTP/1.1', () => text('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')],
  ['octets at random', () => () => [Buffer.from('16030300010200ff00fe8180', 'hex')]],
  ['a frame that breaks off', () => (stream) => [head(stream, [OK], 0).subarray(0, -3)], 'sudden'],
  ['DATA for no stream', () => () => [frame(FRAME.data, 0, 0, Buffer.from('hello'))]],
  [
    'a head that cannot be decoded',
    () => (stream) => [
      frame(FRAME.headers, FLAG.endHeaders, stream, Buffer.of(0xff, 0xff, 0xff, 0xff, 0x7f)),
    ],
  ],
  [
    'a head without status',
    () => (stream) => last(stream, head(stream, [['x', 'y']], FLAG.endHeaders)),
    'sudden',
  ],
  [
    'less data than the head announces',
    () => (stream) =>
      last(
        stream,
        head(stream, [OK, ['content-length', '50']], FLAG.endHeaders),
        frame(FRAME.data, FLAG.endStream, stream, Buffer.from('hello')),
      ),
    'sudden',
  ],
  [
    'a head without end',
    () =>
      function* withoutEnd(stream) {
        yield head(stream, [OK], 0);
        yield* repeated(LONG_HEAD / PIECE, frame(FRAME.continuation, 0, stream, fieldBlock(FILL)));
      },
  ],
  [
    'interim responses without end',
    () => (stream) => {
      const interim = head(stream, [[':status', '103']], FLAG.endHeaders);
      return repeated(MANY / 100, Buffer.concat([...repeated(100, interim)]));
    },
    'sudden',
  ],
];

/** What quotes a text where a client that tells what it could not read would quote it too. */
const QUOTING: Readonly<Record<HttpVersion, readonly Broken[]>> = {
  'http/1.1': [
    ['its proof in place of a status line', (quoted) => text(`${quoted}\r\n\r\n`)],
    ['its proof in a line that is no field', (quoted) => text(`HTTP/1.1 200 OK\r\n${quoted}\r\n\r\n`)],
    ['its proof in place of a status', (quoted) => text(`HTTP/1.1 ${quoted}\r\nContent-Length: 0\r\n\r\n`)],
    [
      'its proof in place of a length',
      (quoted) => text(`HTTP/1.1 200 OK\r\nContent-Length: ${quoted}\r\n\r\n`),
    ],
  ],
  h2: [
    [
      'its proof in the name of a field',
      (quoted) => (stream) => last(stream, head(stream, [OK, [`${quoted} `, '1']], FLAG.endHeaders)),
      'sudden',
    ],
    [
      'its proof in place of a status',
      (quoted) => (stream) => last(stream, head(stream, [[':status', quoted]], FLAG.endHeaders)),
      'sudden',
    ],
    [
      'its proof in place of a length',
      (quoted) => (stream) => last(stream, head(stream, [OK, ['content-length', quoted]], FLAG.endHeaders)),
      'sudden',
    ],
  ],
};

function answersOf(rows: readonly Broken[], quoted: string): readonly WrittenOctets[] {
  return rows.map(([what, octets, sudden]) => ({
    kind: 'octets',
    what,
    pieces: octets(quoted),
    lingerMs: sudden === undefined ? LINGER_MS : 0,
  }));
}

/** Answers that are no response, or break off. */
export function brokenAnswers(http: HttpVersion): readonly WrittenOctets[] {
  return answersOf(http === 'h2' ? HTTP2 : HTTP1, '');
}

/** Answers that are no response, and quote a text. */
export function quotingAnswers(http: HttpVersion, quoted: string): readonly WrittenOctets[] {
  return answersOf(QUOTING[http], quoted);
}

/** A response that is right, written in an unusual way. */
export function unusualAnswers(http: HttpVersion, body: string): readonly WrittenOctets[] {
  // Not 100, which is for those who ask for it (RFC 9110 §10.1.1).
  const interim = [102, 103, 103];
  const length = String(Buffer.byteLength(body));
  const octetsOf = (stream: number, interims: readonly number[]): Buffer =>
    http === 'h2'
      ? Buffer.concat(
          last(
            stream,
            ...interims.map((one) => head(stream, [[':status', String(one)]], FLAG.endHeaders)),
            head(stream, [OK, ['content-length', length]], FLAG.endHeaders),
            frame(FRAME.data, FLAG.endStream, stream, Buffer.from(body)),
          ),
        )
      : Buffer.from(
          [
            ...interims.map((one) => `HTTP/1.1 ${one} Wait\r\n\r\n`),
            `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`,
          ].join(''),
        );
  return [
    {
      kind: 'octets',
      what: 'a response whose head begins octet by octet',
      *pieces(stream) {
        const whole = octetsOf(stream, []);
        const until = performance.now() + SLOW_MS;
        let at = 0;
        while (at + 1 < whole.length && performance.now() < until) yield whole.subarray(at, (at += 1));
        yield whole.subarray(at);
      },
      everyMs: 25,
    },
    {
      kind: 'octets',
      what: 'a response after some interim ones',
      pieces: (stream) => [octetsOf(stream, interim)],
    },
  ];
}
