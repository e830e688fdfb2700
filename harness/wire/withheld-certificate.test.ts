import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { issue } from '../../certs/issue.ts';
import type { Identity } from '../../certs/identity.ts';
import { connect } from './connect.ts';
import { pki, startTls } from './loopback-server.ts';

const { alice, trusted } = pki;
const restricted = await issue(trusted, { name: 'alice', keyType: 'RSA-PSS' });
const identities: readonly Identity[] = [...Object.values(alice), restricted];

/** Answers 200 to a client with a certificate and 401 to one without. */
function serve(socket: TLSSocket): void {
  const status = socket.getPeerX509Certificate() === undefined ? '401 Unauthorized' : '200 OK';
  socket.on('data', () => socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`));
}

/** Key types of the clients that say they withheld their certificate; each is held against what the server saw. */
async function withheldFrom(tls: 'TLSv1.2' | 'TLSv1.3', sigalgs?: string): Promise<readonly string[]> {
  await using server = await startTls(serve, {
    rejectUnauthorized: false,
    ...(sigalgs !== undefined && { sigalgs }),
  });
  const told: string[] = [];
  for (const identity of identities) {
    await using connection = await connect(server.options({ identity, tls }));
    const { certificateWithheld } = connection.facts;
    expect(await connection.send({ method: 'GET', target: '/', fields: [] }), identity.keyType).toMatchObject(
      {
        status: certificateWithheld === undefined ? 200 : 401,
      },
    );
    if (certificateWithheld !== undefined) told.push(identity.keyType);
  }
  return told.toSorted();
}

test.each([
  [undefined, []],
  ['ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256', ['Ed25519', 'P-384', 'P-521', 'RSA-PSS']],
  ['ecdsa_secp256r1_sha256:ed25519', ['P-384', 'P-521', 'RSA', 'RSA-PSS']],
  ['ecdsa_secp384r1_sha384:ecdsa_secp256r1_sha256', ['Ed25519', 'P-521', 'RSA', 'RSA-PSS']],
])('tells which certificates did not go out to a server that takes %s', async (sigalgs, withheld) => {
  expect(await withheldFrom('TLSv1.3', sigalgs)).toEqual(withheld);
});

test.each([
  ['ecdsa_secp256r1_sha256', ['Ed25519', 'RSA', 'RSA-PSS']],
  ['ecdsa_secp256r1_sha256:rsa_pkcs1_sha256', ['Ed25519', 'RSA-PSS']],
])('on TLS 1.2 any curve goes with any hash: %s', async (sigalgs, withheld) => {
  expect(await withheldFrom('TLSv1.2', sigalgs)).toEqual(withheld);
});

test('a server that asks for no certificate is told of; a client without one withholds none', async () => {
  await using server = await startTls(serve, { requestCert: false });
  await using connection = await connect(server.options());
  expect(connection.facts.certificateWithheld).toBe('the target asked for none in the handshake');
  await using anonymous = await connect(server.options({ identity: null }));
  expect(anonymous.facts).not.toHaveProperty('certificateWithheld');
});
