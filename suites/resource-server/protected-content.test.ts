import { describe, expect, it } from 'vitest';
import { isProtected, tellingWords } from './protected-content.ts';

const protectedOnes = [
  '{"sub":"tsbt-subject-a","client_id":"c1","at":1}',
  '{"sub":"tsbt-subject-b","client_id":"c1","at":2}',
];

describe('tellingWords', () => {
  it.each([
    ['what changes with each request', protectedOnes, ['not found'], ['sub', 'client_id', 'c1', 'at']],
    ['what public pages have too', protectedOnes, ['{"sub":null}'], ['client_id', 'c1', 'at']],
    ['everything if the same is served everywhere', ['same', 'same'], ['same'], []],
    ['everything if nothing is stable', ['a1', 'b2'], [''], []],
    ['everything of an empty body', ['', ''], ['not found'], []],
  ])('leaves out %s', (_, bodies, publicBodies, expected) => {
    expect([...tellingWords(bodies, publicBodies)]).toEqual(expected);
  });
});

describe('isProtected', () => {
  const telling = tellingWords(protectedOnes, ['not found']);
  it.each([
    ['the content itself', '{"sub":"x","client_id":"c1","at":3}', true],
    ['the content with values that are missing', '{"sub":null,"client_id":null}', true],
    ['a page with the token’s subject', '<p>Hello tsbt-subject-own</p>', true],
    ['a page for everybody', '<p>Welcome to this server</p>', false],
    ['a page that shares one word', '<p>Meet us at c9</p>', false],
    ['an empty body', '', false],
  ])('%s: %s', (_, body, expected) => {
    expect(isProtected(body, telling, 'tsbt-subject-own')).toBe(expected);
  });

  it('recognizes nothing if nothing tells the content from public pages', () => {
    expect(isProtected('same', new Set(), 'tsbt-subject-own')).toBe(false);
  });

  it('recognizes no subject if the suite does not know it', () => {
    expect(isProtected('', new Set(), '')).toBe(false);
  });
});
