import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { WireResponse } from './connection.ts';
import { decoded } from './content-coding.ts';

const TEXT = '{"sub":"alice"}';

function response(coding: string, body: Buffer): WireResponse {
  return {
    type: 'response',
    status: 200,
    fields: [['Content-Encoding', coding]],
    body,
    bodyTruncated: false,
    informational: [],
    durationMs: 1,
  };
}

test.each<[string, Buffer]>([
  ['gzip', gzipSync(TEXT)],
  ['GZIP', gzipSync(TEXT)],
  ['x-gzip', gzipSync(TEXT)],
  ['deflate', deflateSync(TEXT)],
  ['deflate', deflateRawSync(TEXT)],
  ['br', brotliCompressSync(TEXT)],
  ['zstd', zstdCompressSync(TEXT)],
  ['gzip, br', brotliCompressSync(gzipSync(TEXT))],
  ['identity', Buffer.from(TEXT)],
])('content in %s is decoded', (coding, body) => {
  expect(decoded(response(coding, body))).toMatchObject({ status: 200, body: Buffer.from(TEXT) });
});

test.each<[string, string, Buffer]>([
  ['in a coding that nobody knows', 'tsbt', Buffer.from(TEXT)],
  ['that is not what it says', 'gzip', Buffer.from(TEXT)],
  ['that grows without end', 'gzip', gzipSync(Buffer.alloc(4_000_000))],
])('content %s stays as it came', (_what, coding, body) => {
  expect(decoded(response(coding, body))).toMatchObject({ body });
});

test('what was cut short is decoded as far as it goes', () => {
  const whole = gzipSync(TEXT);
  const outcome = decoded(response('gzip', whole.subarray(0, whole.length - 6)));
  expect(outcome).toMatchObject({ body: Buffer.from(TEXT) });
});
