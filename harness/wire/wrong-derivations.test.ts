import { expect, test } from 'vitest';
import { connect } from './connect.ts';
import { startTls } from './loopback-server.ts';
import { exporterClaim, WRONG_DERIVATIONS, wrongDerivationOf } from './wrong-derivations.ts';

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'gives values that are all wrong, and names each (%s)',
  async (tls) => {
    await using server = await startTls(() => undefined);
    await using previous = await connect(server.options({ tls }));
    await using connection = await connect(server.options({ tls }));
    const other = { token: 'token', host: 'localhost', thumbprint: 'thumbprint', previous };
    const right = exporterClaim(connection);
    expect(right).toMatch(/^[\w-]{43}$/);
    expect(wrongDerivationOf(right, connection, other)).toBeUndefined();
    const applicable = WRONG_DERIVATIONS.filter((derivation) => derivation.applies(connection, other));
    const values = applicable.map((derivation) => derivation.value(connection, other));
    expect(values).not.toContain(right);
    // Standard base64 and padded base64url are the same text where no octet group needs + or /.
    expect(new Set(values).size).toBeGreaterThanOrEqual(values.length - 1);
    const named = values.map((value) => wrongDerivationOf(value, connection, other)?.id);
    const ids = applicable.map(({ id }) => id);
    expect(named.filter((id, i) => id !== ids[i]).every((id) => id === 'base64')).toBe(true);
    const only12 = ['context-absent', 'tls-unique', 'session-id'];
    expect(ids.filter((id) => only12.includes(id))).toEqual(tls === 'TLSv1.2' ? only12 : []);
    expect(ids.includes('length-64-cut')).toBe(tls === 'TLSv1.3');
  },
);

test('has unique ids, and leaves out what needs a connection that is not there', async () => {
  await using server = await startTls(() => undefined);
  await using connection = await connect(server.options());
  const ids = WRONG_DERIVATIONS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const other = { token: 'token', host: 'localhost', thumbprint: 'thumbprint' };
  const applicable = WRONG_DERIVATIONS.filter((derivation) => derivation.applies(connection, other));
  expect(applicable.map(({ id }) => id)).not.toContain('other-connection');
});
