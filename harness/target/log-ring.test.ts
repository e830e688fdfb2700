import { PassThrough } from 'node:stream';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { LogRing, MAX_LINE, MAX_LINES } from './log-ring.ts';

async function followed(...chunks: Buffer[]): Promise<readonly string[]> {
  const ring = new LogRing();
  const stream = new PassThrough();
  ring.follow(stream);
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await once(stream, 'end');
  return ring.lines();
}

test('lines are put together across chunks, the last one without a line end too', async () => {
  const octets = Buffer.from('first\r\nzwölf €\n\nlast');
  expect(await followed(...[...octets].map((octet) => Buffer.of(octet)))).toEqual([
    'first',
    'zwölf €',
    '',
    'last',
  ]);
});

test('only the last lines stay', async () => {
  const text = Array.from({ length: MAX_LINES * 2 + 7 }, (_, i) => `${i}\n`).join('');
  const lines = await followed(Buffer.from(text));
  expect(lines[0]).toBe(`… ${MAX_LINES + 7} earlier lines dropped …`);
  expect(lines.slice(1)).toEqual(Array.from({ length: MAX_LINES }, (_, i) => String(i + MAX_LINES + 7)));
});

test('a line without end is cut, in one chunk or many', async () => {
  const cut = `${'x'.repeat(MAX_LINE)}…`;
  expect(await followed(Buffer.from('x'.repeat(5000)))).toEqual([cut]);
  expect(await followed(...Array.from({ length: 50 }, () => Buffer.from('x'.repeat(100))))).toEqual([cut]);
});

test('what a terminal would obey becomes visible, and what is not UTF-8 does no harm', async () => {
  expect(await followed(Buffer.from('\u001b[2J\u0007\t\u009b\u202e\u007f'))).toEqual([
    '␛[2J␇\t\\u{9b}\\u{202e}␡',
  ]);
  expect(await followed(Buffer.of(0xff, 0x0a))).toEqual(['\ufffd']);
});
