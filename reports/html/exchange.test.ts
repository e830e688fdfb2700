import { expect, test } from 'vitest';
import type { ExchangeEvidence } from '../../harness/scenario/record.ts';
import { sampleExchange } from '../sample.ts';
import { exchangeList } from './exchange.ts';

const dpop = {
  sha256: 'abc123',
  header: { typ: 'dpop+jwt' },
  claims: { htm: 'GET' },
  signature: 'by the key',
};

function listed(exchanges: readonly ExchangeEvidence[]): string {
  return String(exchangeList(exchanges, new Set(exchanges.map(({ id }) => id))));
}

test('a DPoP proof is shown decoded and by its hash, once; what was sent is not there to be shown', () => {
  const exchanges = [1, 2].map((id) => ({
    ...sampleExchange({ id, part: 'variant', what: 'it', status: 401, proof: false }),
    dpop,
  }));
  const text = listed(exchanges);
  expect(text.match(/<h6>DPoP proof, decoded<\/h6>/g)).toHaveLength(2);
  expect(text.match(/SHA-256 .*abc123/g)).toHaveLength(1);
  expect(text).toContain('The same as in #1');
  expect(text).toContain('dpop+jwt');
  expect(text).not.toContain('As sent');
});

test('a Session-Binding Proof is shown as it was sent too', () => {
  expect(listed([sampleExchange({ id: 1, part: 'control', what: 'it', status: 200 })])).toContain('As sent');
});
