import { expect, test } from 'vitest';
import {
  challengeFor,
  insufficientScope,
  invalidProof,
  invalidToken,
  missingProof,
  noToken,
} from './refusal.ts';

test('each refusal has its challenge', () => {
  expect(challengeFor(noToken(), 'rs')).toBe('Bearer realm="rs"');
  expect(challengeFor(missingProof(), 'rs')).toMatch(/^Bearer realm="rs", error="use_session_binding", /);
  expect(challengeFor(invalidToken('no'), 'rs')).toBe(
    'Bearer realm="rs", error="invalid_token", error_description="no"',
  );
  const defect = { code: 'stale', step: 'h', description: 'iat is too long ago' } as const;
  expect(challengeFor(invalidProof(defect), 'rs')).toBe(
    'Bearer realm="rs", error="invalid_proof", error_description="iat is too long ago"',
  );
  expect(challengeFor(insufficientScope('a b'), 'rs')).toContain('scope="a b"');
});

test('nothing leaves a quoted string', () => {
  const challenge = challengeFor(invalidToken('a"b\\c\r\nd\u00e9'), 'x"\n');
  expect(challenge).toBe('Bearer realm="x  ", error="invalid_token", error_description="a b c  d "');
});
