import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAuthority } from '../../certs/authority.ts';
import { issue } from '../../certs/issue.ts';
import { isSubject } from './distinguished-name.ts';

async function subjectOf(subject: Readonly<Record<string, string>>): Promise<string> {
  const identity = await issue(await createAuthority('test'), { name: 'x', keyType: 'P-256', subject });
  return new X509Certificate(identity.certificate).subject;
}

test.each([
  [{ CN: 'alice' }, 'CN=alice', true],
  [{ CN: 'alice' }, 'cn=alice', true],
  [{ CN: 'alice' }, 'CN=Alice', false],
  [{ CN: 'alice' }, 'CN=alice,O=x', false],
  [{ CN: 'alice' }, 'CN=', false],
  [{ CN: 'alice' }, '', false],
  [{ C: 'DE', O: 'Example', CN: 'alice' }, 'CN=alice,O=Example,C=DE', true],
  [{ C: 'DE', O: 'Example', CN: 'alice' }, 'CN=alice, O=Example, C=DE', true],
  [{ C: 'DE', O: 'Example', CN: 'alice' }, 'C=DE,O=Example,CN=alice', false],
  [{ CN: 'a, O=evil' }, 'CN=a\\, O=evil', true],
  [{ CN: 'a, O=evil' }, 'CN=a\\2C O\\3Devil', true],
  [{ CN: 'a, O=evil' }, 'CN=a,O=evil', false],
  [{ CN: 'a\nO=evil' }, 'O=evil,CN=a', false],
  [{ CN: 'a+b' }, 'CN=a\\+b', true],
  [{ CN: 'Zoë' }, 'CN=Zo\\C3\\AB', true],
  [{ CN: 'Zoë' }, 'CN=Zoë', true],
])('%j and %s: %s', async (subject, expected, outcome) => {
  expect(isSubject(await subjectOf(subject), expected)).toBe(outcome);
});
