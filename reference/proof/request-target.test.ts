import { expect, test } from 'vitest';
import { matchesMethod, matchesTarget } from './request-target.ts';

const request = { method: 'GET', authority: 'rs.example:443', path: '/api/resource' };

test.each([
  'https://rs.example/api/resource',
  'https://rs.example:443/api/resource',
  'https://rs.example:/api/resource',
  'https://RS.Example/api/resource',
  'HTTPS://rs.example/api/resource',
  'https://rs.example/api/%72esource',
  'https://rs.example/api/resource?a=1',
  'https://rs.example/api/resource#top',
  '/api/resource',
  '/api/resource?a=1',
])('%s names the request’s target', (htu) => {
  expect(matchesTarget(htu, request)).toBe(true);
});

test.each([
  '',
  'api/resource',
  '/api/resource/',
  '/api/resource/admin',
  '/api',
  '/API/resource',
  '/api/x/../resource',
  '/api/x/%2e%2E/resource',
  '/api/./resource',
  '//rs.example/api/resource',
  'http://rs.example/api/resource',
  'https://rs.example:8443/api/resource',
  'https://rs.example:/api/resource/x',
  'https://other.example/api/resource',
  'https://rs.example.evil/api/resource',
  'https://alice@rs.example/api/resource',
  'https://rs.example@evil/api/resource',
  'https:\\\\rs.example/api/resource',
  'https://rs.example\\@evil/api/resource',
  'https:///api/resource',
  'https://rs.example',
  '/api%2Fresource',
])('%s does not', (htu) => {
  expect(matchesTarget(htu, request)).toBe(false);
});

test('an encoded slash stays what it is, and its digits’ case does not matter', () => {
  const encoded = { ...request, path: '/a%2fb' };
  expect(matchesTarget('/a%2Fb', encoded)).toBe(true);
  expect(matchesTarget('/a/b', encoded)).toBe(false);
});

test('an absolute URI matches no request without authority', () => {
  const bare = { ...request, authority: undefined };
  expect(matchesTarget('https://rs.example/api/resource', bare)).toBe(false);
  expect(matchesTarget('/api/resource', bare)).toBe(true);
});

test('an empty path is the root', () => {
  expect(matchesTarget('https://rs.example', { ...request, path: '/' })).toBe(true);
});

test('a method is compared letter by letter', () => {
  expect(matchesMethod('GET', request)).toBe(true);
  expect(matchesMethod('get', request)).toBe(false);
});

test('only the default port goes without saying', () => {
  const target = (authority: string) => ({ ...request, authority });
  expect(matchesTarget('https://rs.example:80/api/resource', target('rs.example:80'))).toBe(true);
  expect(matchesTarget('https://rs.example:80/api/resource', target('rs.example80'))).toBe(false);
  expect(matchesTarget('https://rs.example:4431/api/resource', target('rs.example1'))).toBe(false);
});
