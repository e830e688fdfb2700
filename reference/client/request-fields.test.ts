import { expect, test } from 'vitest';
import { readFields } from './request-fields.ts';

const fields = ['X-One', '1', 'authorization', 'bearer T.o.k', 'X-One', '2'];

test.each([
  ['a flat list', fields],
  [
    'pairs',
    [
      ['X-One', '1'],
      ['authorization', 'bearer T.o.k'],
      ['X-One', '2'],
    ].values(),
  ],
])('reads %s', (_what, headers) => {
  expect(readFields(headers as string[])).toEqual({ fields, token: 'T.o.k' });
});

test('reads an object, and nothing at all', () => {
  expect(readFields({ Authorization: 'Bearer  T', 'X-Two': ['a', 'b'], 'X-None': undefined })).toEqual({
    fields: ['Authorization', 'Bearer  T', 'X-Two', 'a', 'X-Two', 'b'],
    token: 'T',
  });
  expect(readFields(null)).toEqual({ fields: [], token: undefined });
});

test('drops the caller’s proof and Host, and takes no other scheme for a bearer token', () => {
  const headers = ['SESSION-binding-proof', 'x', 'Host', 'y', 'Authorization', 'Basic z'];
  expect(readFields(headers)).toEqual({ fields: ['Authorization', 'Basic z'], token: undefined });
});
