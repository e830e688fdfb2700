import { expect, test } from 'vitest';
import { createDpopKey, forgeDpopProof } from '../forge/dpop-proof.ts';
import { forgeProof } from '../forge/proof.ts';
import { dpopProofIn, hashOf, isDpopField, withoutDpopProofs } from './dpop-evidence.ts';
import { pki } from './target.fixture.ts';

const basis = { key: createDpopKey('a'), token: 'token', htm: 'GET', htu: 'https://rs/resource' };
const PROOF = forgeDpopProof(basis);
const NAME = `<DPoP proof sha-256 ${hashOf(PROOF).slice(0, 16)}…>`;
const OTHER = forgeProof({ token: 'token', ekm: Buffer.alloc(32), identity: pki.alice['P-256'] });

test('a DPoP proof is named wherever it stands, and everything else stays', () => {
  const text = `a=${PROOF}&b=${OTHER} "${PROOF}" rs.tsbt.test 1.2.3`;
  expect(withoutDpopProofs(text)).toBe(`a=${NAME}&b=${OTHER} "${NAME}" rs.tsbt.test 1.2.3`);
  expect(withoutDpopProofs('nothing')).toBe('nothing');
});

test.each(['DPOP+JWT', 'application/dpop+jwt'])('%s is its type too', (typ) => {
  expect(withoutDpopProofs(forgeDpopProof(basis, { header: { typ } }))).toMatch(/^<DPoP proof/);
});

test('one that is not signed is named too', () => {
  const unsigned = forgeDpopProof(basis, { signature: () => Buffer.alloc(0) });
  expect(unsigned).toMatch(/\.$/);
  expect(withoutDpopProofs(`${unsigned} `)).toMatch(/^<DPoP proof sha-256 \w{16}…> $/);
});

test('in its own field whatever might be taken for a proof is one', () => {
  const untyped = forgeDpopProof(basis, { header: { typ: undefined } });
  expect(withoutDpopProofs(untyped)).toBe(untyped);
  expect(withoutDpopProofs(`${untyped}, ${PROOF}`, true)).toMatch(/^<DPoP proof [^>]+>, <DPoP proof [^>]+>$/);
  expect(withoutDpopProofs('x', true)).toBe('x');
});

test('a request’s proof is the one in its field, or the one in another', () => {
  expect(dpopProofIn([['Authorization', 'Bearer x']])).toBeUndefined();
  expect(
    dpopProofIn([
      ['X', PROOF],
      ['dpop', 'text'],
    ]),
  ).toBe('text');
  expect(dpopProofIn([['X-Forwarded-DPoP', `is ${PROOF}`]])).toBe(PROOF);
  expect(['DPoP', 'dpop', 'DPoP-Nonce'].map(isDpopField)).toEqual([true, true, false]);
});

test('a long word is looked through once, not from each of its letters', () => {
  const word = 'A'.repeat(1024 * 1024);
  expect(withoutDpopProofs(word)).toBe(word);
});
