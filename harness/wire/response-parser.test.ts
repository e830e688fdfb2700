import { expect, test } from 'vitest';
import { BODY_LIMIT, MAX_BODY } from './connection.ts';
import { ResponseParser, type ParsedResponse } from './response-parser.ts';

const octets = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Reads one response from the text as a whole, then again octet by octet, and expects the same of both. */
function read(text: string, method = 'GET'): ParsedResponse | undefined {
  const whole = new ResponseParser();
  whole.push(octets(text));
  const response = whole.next(method);
  const dripped = new ResponseParser();
  let slow: ParsedResponse | undefined;
  for (const octet of octets(text)) {
    dripped.push(Uint8Array.of(octet));
    slow ??= dripped.next(method);
  }
  expect(slow).toEqual(response);
  return response;
}

test('reads a response with Content-Length, its fields in order and with their case', () => {
  const response = read(
    'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nx-A:  1 \r\nX-a: 2\r\ncontent-length: 2\r\n\r\nhi',
  );
  expect(response).toMatchObject({ status: 401, bodyTruncated: false, keepAlive: true, informational: [] });
  expect(response?.body.toString()).toBe('hi');
  expect(response?.fields).toEqual([
    ['WWW-Authenticate', 'Bearer'],
    ['x-A', '1'],
    ['X-a', '2'],
    ['content-length', '2'],
  ]);
});

test('reads a chunked response with extensions and trailers, and the one after it', () => {
  const parser = new ResponseParser();
  parser.push(
    octets(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\nHTTP/1.1 204 x\r\n\r\n',
    ),
  );
  expect(parser.next('GET')?.body.toString()).toBe('abcde');
  expect(parser.next('GET')?.status).toBe(204);
  expect(parser.midway).toBe(false);
});

test('joins a folded field with spaces and says that it was folded', () => {
  const response = read(
    'HTTP/1.1 401 x\r\nWWW-Authenticate: Bearer a="1",\r\n  b="2"\r\nX: y\r\ncontent-length: 0\r\n\r\n',
  );
  expect(response).toMatchObject({ folded: ['www-authenticate'] });
  expect(response?.fields.slice(0, 2)).toEqual([
    ['WWW-Authenticate', 'Bearer a="1", b="2"'],
    ['X', 'y'],
  ]);
});

test('notes informational responses and goes on to the final one', () => {
  expect(
    read('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: </>\r\n\r\nHTTP/1.1 304 x\r\nA: b\r\n\r\n'),
  ).toMatchObject({
    status: 304,
    informational: [100, 103],
    fields: [['A', 'b']],
  });
});

test.each([
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', true],
  ['GET', 'HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n', true],
  ['CONNECT', 'HTTP/1.1 200 x\r\n\r\n', false],
  ['GET', 'HTTP/1.1 101 x\r\nUpgrade: y\r\n\r\n', false],
  ['GET', 'HTTP/1.1 200 x\r\nConnection: foo, Close\r\nContent-Length: 0\r\n\r\n', false],
  ['GET', 'HTTP/1.0 200 x\r\nContent-Length: 0\r\n\r\n', false],
  ['GET', 'HTTP/1.0 200 x\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n', true],
])('has no body after %s: %j (connection goes on: %s)', (method, text, keepAlive) => {
  expect(read(text, method)).toMatchObject({ keepAlive, body: Buffer.alloc(0) });
});

test('takes a body without framing to last until the end of the connection', () => {
  const parser = new ResponseParser();
  parser.push(octets('HTTP/1.1 200 OK\r\n\r\nall of it'));
  expect(parser.next('GET')).toBeUndefined();
  expect(parser.end()).toMatchObject({ body: octets('all of it'), keepAlive: false });
});

test('does not take a body that was cut off to be whole', () => {
  const parser = new ResponseParser();
  parser.push(octets('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort'));
  expect(parser.next('GET')).toBeUndefined();
  expect(parser.end()).toBeUndefined();
});

test.each([
  ['SSH-2.0-OpenSSH\r\n'],
  ['HTTP/2 200 OK\r\n\r\n'],
  ['HTTP/1.1 99 x\r\n\r\n'],
  ['HTTP/1.1 200 OK\n\n'],
  ['HTTP/1.1 200 OK\r\nno colon\r\n\r\n'],
  ['HTTP/1.1 200 OK\r\nspace : x\r\n\r\n'],
  ['HTTP/1.1 200 OK\r\nnul: a\0b\r\n\r\n'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
  ['HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n'],
  ['\0\0\x12\x04\0\0\0\0\0\r\n'],
])('calls garbage what is not HTTP/1.1: %j', (text) => {
  const parser = new ResponseParser();
  parser.push(octets(text));
  expect(() => parser.next('GET')).toThrowError(
    expect.objectContaining({ name: 'BadResponse', kind: 'garbage' }),
  );
});

test.each([
  ['a header line without end', 'HTTP/1.1 200 OK\r\nA: ', 'a'.repeat(65_536)],
  ['fields without end', 'HTTP/1.1 200 OK\r\n', 'A: bbbbbbbbbbbb\r\n'.repeat(4096)],
  ['informational responses without end', '', 'HTTP/1.1 100 x\r\n\r\n'.repeat(4096)],
  ['a body without end', 'HTTP/1.1 200 OK\r\n\r\n', 'b'.repeat(65_536)],
  ['chunks without end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\nb\r\n'.repeat(8192)],
])('gives up on %s', (_what, head, more) => {
  const parser = new ResponseParser();
  parser.push(octets(head));
  let pushed = 0;
  const flood = (): void => {
    for (; pushed < 8 * BODY_LIMIT; pushed += more.length) {
      parser.push(octets(more));
      parser.next('GET');
    }
  };
  expect(flood).toThrowError(expect.objectContaining({ name: 'BadResponse', kind: 'endless-response' }));
});

test('keeps only the first octets of a long body', () => {
  const parser = new ResponseParser();
  parser.push(
    octets(`HTTP/1.1 200 OK\r\nContent-Length: ${MAX_BODY + 1}\r\n\r\n${'x'.repeat(MAX_BODY + 1)}`),
  );
  const response = parser.next('GET');
  expect(response?.body.length).toBe(MAX_BODY);
  expect(response?.bodyTruncated).toBe(true);
});

// In quadratic time it would not end within the test's time limit on any machine; in linear time it takes a second.
test('reads a header that drips in by single octets in linear time', () => {
  const parser = new ResponseParser();
  parser.push(octets('HTTP/1.1 200 OK\r\nA: '));
  let complete = 0;
  for (let i = 0; i < 1_000_000; i += 1) {
    parser.push(Uint8Array.of(0x61));
    if (parser.next('GET') !== undefined) complete += 1;
  }
  expect(complete).toBe(0);
});
