import { expect, test } from 'vitest';
import { clip, visible, visibleLine } from './visible.ts';

test.each([
  ['escape', '\u001b[31m', '\\u001b[31m'],
  ['NUL and DEL', '\u0000\u007f', '\\u0000\\u007f'],
  ['C1 control', '\u009b31m', '\\u009b31m'],
  ['bidi overrides', '\u202a\u202e', '\\u202a\\u202e'],
  ['bidi isolates and marks', '\u2066\u2069\u200e\u200f\u061c', '\\u2066\\u2069\\u200e\\u200f\\u061c'],
  ['zero width and soft hyphen', '\u200b\u200d\ufeff\u00ad\u2060', '\\u200b\\u200d\\ufeff\\u00ad\\u2060'],
  ['fillers and blanks', '\u3164\u115f\u2800\u00a0\u3000', '\\u3164\\u115f\\u2800\\u00a0\\u3000'],
  ['tag characters', '\u{e0041}', '\\u{e0041}'],
  ['line and paragraph separators', '\u2028\u2029', '\\u2028\\u2029'],
  ['a lone surrogate', 'a\ud800b', 'a\\ud800b'],
  ['variation selector', 'a\ufe0f', 'a\\ufe0f'],
  ['non-characters', '\uffff\ufffe', '\\uffff\\ufffe'],
  ['carriage return', 'a\rb', 'a\\rb'],
])('makes %s visible', (_, text, expected) => {
  expect(visible(text)).toBe(expected);
});

test('leaves what can be seen, and line feeds and tabs', () => {
  const text = 'Zürich – 東京 – عربي – 🙂\n\tline <two> & "three"';
  expect(visible(text)).toBe(text);
});

test('keeps a single line to a single line', () => {
  expect(visibleLine('a\nb\tc')).toBe('a\\nb\\tc');
});

test('clips without cutting a character in two', () => {
  expect(clip('ab🙂', 3)).toEqual({ text: 'ab', omitted: 2 });
  expect(clip('ab', 3)).toEqual({ text: 'ab', omitted: 0 });
});
