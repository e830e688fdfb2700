import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';
import { MAX_BODY, type Outcome } from './connection.ts';

/** What was cut short is decoded as far as it goes; what would grow without end is left as it came. */
const BOUNDS = { maxOutputLength: 16 * MAX_BODY };
const ZLIB = { ...BOUNDS, finishFlush: constants.Z_SYNC_FLUSH };
const BROTLI = { ...BOUNDS, finishFlush: constants.BROTLI_OPERATION_FLUSH };
const ZSTD = { ...BOUNDS, finishFlush: constants.ZSTD_e_flush };

type Decoder = (octets: Buffer) => Buffer;

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', (octets) => gunzipSync(octets, ZLIB)],
  ['x-gzip', (octets) => gunzipSync(octets, ZLIB)],
  // Some leave the zlib header out, and all clients take that (RFC 9110 §8.4.1.2).
  [
    'deflate',
    (octets) => firstOf(octets, [(raw) => inflateSync(raw, ZLIB), (raw) => inflateRawSync(raw, ZLIB)]),
  ],
  ['br', (octets) => brotliDecompressSync(octets, BROTLI)],
  ['zstd', (octets) => zstdDecompressSync(octets, ZSTD)],
  ['identity', (octets) => octets],
]);

/**
 * A response with its content decoded (RFC 9110 §8.4): a server may use any content coding where a request has no
 * Accept-Encoding (RFC 9110 §12.5.3). What cannot be decoded stays as it came.
 */
export function decoded(outcome: Outcome): Outcome {
  if (outcome.type === 'failure' || outcome.body.length === 0) return outcome;
  const codings = outcome.fields
    .filter(([name]) => name.toLowerCase() === 'content-encoding')
    .flatMap(([, value]) => value.split(','))
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '');
  if (codings.length === 0) return outcome;
  let { body } = outcome;
  for (const coding of codings.toReversed()) {
    const decoder = DECODERS.get(coding);
    if (decoder === undefined) return outcome;
    try {
      body = decoder(body);
    } catch {
      return outcome;
    }
  }
  return { ...outcome, body };
}

function firstOf(octets: Buffer, decoders: readonly Decoder[]): Buffer {
  let failure: unknown;
  for (const decoder of decoders) {
    try {
      return decoder(octets);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
