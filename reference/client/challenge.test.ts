import { expect, test } from 'vitest';
import { parseChallenges } from './challenge.ts';

function read(field: string | string[] | undefined) {
  return parseChallenges(field).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

test.each<[string | string[] | undefined, unknown]>([
  [undefined, []],
  ['', []],
  ['Bearer', [['bearer', {}]]],
  ['Bearer realm="a", error="invalid_proof"', [['bearer', { realm: 'a', error: 'invalid_proof' }]]],
  ['BEARER ERROR=invalid_proof', [['bearer', { error: 'invalid_proof' }]]],
  ['Bearer error = "x" , realm="y"', [['bearer', { error: 'x', realm: 'y' }]]],
  [
    'Bearer d="a \\"quoted\\" error=\\"no\\", Basic x", error="e"',
    [['bearer', { d: 'a "quoted" error="no", Basic x', error: 'e' }]],
  ],
  [
    'DPoP algs="ES256", Bearer error="e"',
    [
      ['dpop', { algs: 'ES256' }],
      ['bearer', { error: 'e' }],
    ],
  ],
  [
    ['Basic realm="a"', 'Bearer error="e"'],
    [
      ['basic', { realm: 'a' }],
      ['bearer', { error: 'e' }],
    ],
  ],
  [
    'Negotiate abc123==, Bearer error="e"',
    [
      ['negotiate', {}],
      ['bearer', { error: 'e' }],
    ],
  ],
  ['Bearer error="unclosed', [['bearer', {}]]],
  [', ,Bearer ,, error="e",', [['bearer', { error: 'e' }]]],
])('%j', (field, challenges) => {
  expect(read(field)).toEqual(challenges);
});

// In quadratic time they would not be read within the test's time limit on any machine.
test.each(['"', '\\', 'a=', 'a="\\"', 'a,', ' ', 'a b=c,'])(
  'a hostile field of a million times %j is read in linear time',
  (piece) => {
    expect(parseChallenges([piece.repeat(1_000_000)]).length).toBeGreaterThanOrEqual(0);
  },
);
