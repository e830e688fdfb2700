import { expect, test } from 'vitest';
import * as make from './json-text.ts';

const RIGHT = '{"ath":"a","ekm":"e","iat":1}';

test.each([
  [make.duplicateMember('ekm', 'w', 'right-then-wrong'), '{"ath":"a","ekm":"e","ekm":"w","iat":1}'],
  [make.duplicateMember('ekm', 'w', 'wrong-then-right'), '{"ath":"a","ekm":"w","ekm":"e","iat":1}'],
  [
    make.duplicateMember('ekm', 'w', 'right-then-wrong', true),
    '{"ath":"a","ekm":"e","\\u0065km":"w","iat":1}',
  ],
  [make.literalMember('iat', '1e400'), '{"ath":"a","ekm":"e","iat":1e400}'],
  [make.literalMember('n', '-0'), '{"ath":"a","ekm":"e","iat":1,"n":-0}'],
  [make.escapedNames, '{"\\u0061th":"a","\\u0065km":"e","\\u0069at":1}'],
  [make.memberAs('ekm', 'EKM'), '{"ath":"a","EKM":"e","iat":1}'],
  [
    make.memberBeside('ekm', { value: 'w', as: 'EKM', asValue: 'right', place: 'after' }),
    '{"ath":"a","ekm":"w","EKM":"e","iat":1}',
  ],
  [
    make.memberBeside('ekm', { value: 'right', as: 'EKM', asValue: 'w', place: 'before' }),
    '{"ath":"a","EKM":"w","ekm":"e","iat":1}',
  ],
  [make.memberValues(['iat', 'ath'], 2), '[1,"a",null,null]'],
  [make.memberValues(['x']), '[null]'],
  [make.deepNesting(3), '{"ath":"a","ekm":"e","iat":1,"x":[[[]]]}'],
  [make.hugeNumber('iat', 5), '{"ath":"a","ekm":"e","iat":99999}'],
  [make.byteOrderMark, `\uFEFF${RIGHT}`],
  [make.loneSurrogate, '{"ath":"a","ekm":"e","iat":1,"x":"\\ud800"}'],
  [make.respaced, '{\n  "ath": "a",\n  "ekm": "e",\n  "iat": 1\n}'],
])('makes the expected text', (maker, text) => {
  expect(maker(RIGHT)).toBe(text);
});

test('the escaped name is the same name to a parser', () => {
  const text = make.duplicateMember('ekm', 'w', 'right-then-wrong', true)(RIGHT);
  expect(JSON.parse(text.toString())).toEqual({ ath: 'a', ekm: 'w', iat: 1 });
});

test('makes octets that are not UTF-8', () => {
  const strict = new TextDecoder('utf-8', { fatal: true });
  expect(() => strict.decode(Buffer.from(make.invalidUtf8(RIGHT)))).toThrow(TypeError);
  expect(Buffer.from(make.invalidUtf8(RIGHT)).toString('latin1')).toBe(
    '{"ath":"a","ekm":"e","iat":1,"x":"\xc3(\xff"}',
  );
  const wide = Buffer.from(make.utf16(RIGHT));
  expect(wide.subarray(0, 2)).toEqual(Buffer.from([0xfe, 0xff]));
  expect(new TextDecoder('utf-16be').decode(wide)).toBe(RIGHT);
});
