import { expect, test } from 'vitest';
import { encodeBase64url } from './encoding.ts';
import { parseProof } from './parse.ts';
import { proofWith, SENTENCE } from './proof.fixture.ts';

const b64 = (value: string | Uint8Array) => encodeBase64url(value);
const [header = '', payload = '', signature = ''] = proofWith().split('.');

test('a proof comes apart into header, claims, signing input and signature', () => {
  const parsed = parseProof(`${header}.${payload}.${signature}`);
  expect(parsed).toMatchObject({ header: { alg: 'ES256' }, claims: { iat: 1_800_000_000 } });
  expect('signingInput' in parsed && parsed.signingInput.toString()).toBe(`${header}.${payload}`);
  expect('signature' in parsed && parsed.signature.length).toBe(64);
});

test.each([
  ['nothing', '', 'not-compact'],
  ['one part', header, 'not-compact'],
  ['two parts', `${header}.${payload}`, 'not-compact'],
  ['no signature', `${header}.${payload}.`, 'not-compact'],
  ['no header', `.${payload}.${signature}`, 'not-compact'],
  ['a detached payload', `${header}..${signature}`, 'not-compact'],
  ['four parts', `${header}.${payload}.${signature}.`, 'not-compact'],
  ['five parts', 'a.b.c.d.e', 'not-compact'],
  ['dots', '.'.repeat(8000), 'not-compact'],
  ['as much as is looked at', 'a'.repeat(8192), 'not-compact'],
  ['too much', 'a'.repeat(8193), 'too-long'],
  ['JSON serialization', '{"protected":"","payload":"","signature":""}', 'not-compact'],
  ['padding', `${header}=.${payload}.${signature}`, 'not-base64url'],
  ['the standard alphabet', `${header}.${payload}.+/${signature}`, 'not-base64url'],
  ['white space', `${header}. ${payload}.${signature}`, 'not-base64url'],
  ['percent signs', `${header}.%65.${signature}`, 'not-base64url'],
  ['a NUL', `${header}.\0.${signature}`, 'not-base64url'],
  ['letters beyond ASCII', `${header}.ä.${signature}`, 'not-base64url'],
  ['an impossible length', `${header}.${payload}.A`, 'not-base64url'],
  ['last bits that say nothing', `${header}.${payload}.AB`, 'not-base64url'],
  ['a header that is no JSON', `${b64('x')}.${payload}.${signature}`, 'not-json'],
  ['an array', `${header}.${b64('[]')}.${signature}`, 'not-json'],
  ['a string', `${header}.${b64('"x"')}.${signature}`, 'not-json'],
  ['null', `${header}.${b64('null')}.${signature}`, 'not-json'],
  ['NaN', `${header}.${b64('{"iat":NaN}')}.${signature}`, 'not-json'],
  ['a byte order mark', `${header}.${b64('\uFEFF{}')}.${signature}`, 'not-json'],
  ['broken UTF-8', `${header}.${b64(Buffer.from('{"a":"\xff"}', 'latin1'))}.${signature}`, 'not-json'],
  ['UTF-16', `${header}.${b64(Buffer.from('{}', 'utf16le'))}.${signature}`, 'not-json'],
  ['deep nesting', `${header}.${b64(`{"a":${'['.repeat(5000)}`)}.${signature}`, 'not-json'],
])('%s is refused', (_what, text, code) => {
  expect(parseProof(text)).toEqual({ code, step: 'form', description: expect.stringMatching(SENTENCE) });
});
