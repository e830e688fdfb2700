import { expect, test } from 'vitest';
import { jsonText } from './json-text.ts';

test.each([
  ['half a pair, high', { claim: 'a\ud800b' }, '{"claim":"a\ufffdb"}'],
  ['half a pair, low', { claim: '\udfff' }, '{"claim":"\ufffd"}'],
  ['the halves in the wrong order', ['\udc00\ud800'], '["\ufffd\ufffd"]'],
  ['half a pair in a name', { '\ud800': 1 }, '{"\ufffd":1}'],
  ['a whole pair', ['🔑'], '["🔑"]'],
  ['text that looks like the escape', ['\\ud800', '\\\\ud800'], '["\\\\ud800","\\\\\\\\ud800"]'],
  ['a backslash, then half a pair', ['\\\ud800'], '["\\\\\ufffd"]'],
  ['other escapes', ['"\n\0é'], '["\\"\\n\\u0000é"]'],
])('%s', (_, value, text) => {
  expect(jsonText(value)).toBe(text);
});

test('is well-formed text, and holds no escape of half a pair', () => {
  const text = jsonText({ deep: [{ 'x\udbff': ['\ud83d', '\udd11'] }] }, 2);
  expect(text.isWellFormed()).toBe(true);
  expect(JSON.stringify(JSON.parse(text))).not.toMatch(/\\ud/i);
});
