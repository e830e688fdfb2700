import type { Field } from './connection.ts';

/** Types of HTTP/2 frames (RFC 9113 §6). */
export const FRAME = { data: 0x00, headers: 0x01, goAway: 0x07, continuation: 0x09 } as const;

/** Flags of DATA and HEADERS (RFC 9113 §6.1, §6.2). */
export const FLAG = { endStream: 0x01, endHeaders: 0x04 } as const;

const HEAD = 9;

/** An HTTP/2 frame, octet for octet as told (RFC 9113 §4.1). */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Fields as a block of literals that touch no table (RFC 7541 §6.2.2); names and values as they are, allowed or not. */
export function fieldBlock(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.of(0), stringLiteral(name), stringLiteral(value)]),
  );
}

/** RFC 7541 §5.2, without Huffman code. */
function stringLiteral(text: string): Buffer {
  const octets = Buffer.from(text, 'latin1');
  return Buffer.concat([integer(octets.length), octets]);
}

/** RFC 7541 §5.1, with a prefix of seven bits. */
function integer(value: number): Buffer {
  const limit = 0x7f;
  if (value < limit) return Buffer.of(value);
  const octets = [limit];
  let rest = value - limit;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) octets.push((rest % 0x80) | 0x80);
  return Buffer.from([...octets, rest]);
}
