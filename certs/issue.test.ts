import { execFile, execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { KEY_TYPES } from './identity.ts';
import type { Identity } from './identity.ts';
import { issue } from './issue.ts';
import type { IssuableKeyType } from './issue.ts';
import { createPki } from './pki.ts';
import type { Pki } from './pki.ts';
import { selfSigned } from './self-signed.ts';

const run = promisify(execFile);
const ALL: readonly IssuableKeyType[] = [...KEY_TYPES, 'RSA-1024', 'RSA-PSS', 'Ed448'];

let pki: Pki;
beforeAll(async () => {
  pki = await createPki();
});

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Whether strict OpenSSL accepts a chain; its words where it does not. */
async function verifyStrictly(identity: Identity, purpose: string): Promise<string> {
  await using folder = {
    path: await mkdtemp(join(tmpdir(), 'tsbt-')),
    [Symbol.asyncDispose]: () => rm(folder.path, { recursive: true }),
  };
  const [ca, chain, leaf] = ['ca.pem', 'chain.pem', 'leaf.pem'].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([
    writeFile(ca, pki.trusted.certificate),
    writeFile(chain, identity.chain),
    writeFile(leaf, identity.certificate),
  ]);
  const verification = [
    'verify',
    '-x509_strict',
    '-auth_level',
    '0',
    '-purpose',
    purpose,
    '-CAfile',
    ca,
    '-untrusted',
    chain,
    leaf,
  ];
  try {
    return (await run('openssl', verification)).stdout.endsWith(': OK\n') ? 'OK' : 'no answer';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test('strict OpenSSL accepts certificates of every key type, with intermediates', async (context) => {
  if (!hasOpenssl()) context.skip('the openssl command is not installed');
  const made = await Promise.all(
    ALL.map((keyType, index) =>
      issue(pki.trusted, { name: 'a', keyType, intermediates: ([0, 1, 2] as const)[index % 3] ?? 0 }),
    ),
  );
  for (const identity of made) expect(await verifyStrictly(identity, 'sslclient')).toBe('OK');
  expect(await verifyStrictly(pki.server, 'sslserver')).toBe('OK');
  const stranger = await issue(pki.stranger, { name: 'a', keyType: 'P-256' });
  expect(await verifyStrictly(stranger, 'sslclient')).toContain('unable to get local issuer certificate');
  const serverOnly = await issue(pki.trusted, {
    name: 'a',
    keyType: 'P-256',
    extendedKeyUsage: ['serverAuth'],
  });
  expect(await verifyStrictly(serverOnly, 'sslclient')).toMatch(
    /unsuitable certificate purpose|unsupported certificate purpose/,
  );
});

test('a certificate says what was asked for', async () => {
  const [notBefore, notAfter] = [new Date('2020-01-01T00:00:00Z'), new Date('2021-01-01T00:00:00Z')];
  const made = await issue(pki.trusted, {
    name: 'odd',
    keyType: 'P-384',
    notBefore,
    notAfter,
    subject: { CN: 'alice, O=evil+"\\', O: 'x' },
    dns: ['a.test'],
    ip: ['127.0.0.1', '::1'],
    uri: ['spiffe://tsbt.test/a'],
    intermediates: 2,
    extraChain: pki.mallory.certificate,
  });
  const certificate = new X509Certificate(made.certificate);
  expect([certificate.validFromDate, certificate.validToDate]).toEqual([notBefore, notAfter]);
  expect(certificate.toLegacyObject().subject).toEqual(
    expect.objectContaining({ CN: 'alice, O=evil+"\\', O: 'x' }),
  );
  expect(certificate.subjectAltName).toBe(
    'DNS:a.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:spiffe://tsbt.test/a',
  );
  expect(made.thumbprint).toBe(
    Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
  );
  expect(certificate.checkPrivateKey(keyOf(made))).toBe(true);
  const chain = made.chain.match(/-----BEGIN[^]+?-----END CERTIFICATE-----\n/g) ?? [];
  expect(chain).toHaveLength(4);
  expect(chain.join('')).toBe(made.chain);
  expect(chain[3]).toBe(pki.mallory.certificate);
  expect(new X509Certificate(chain[2] ?? '').checkIssued(new X509Certificate(pki.trusted.certificate))).toBe(
    true,
  );
});

test('a key can be certified again, and only as what it is', async () => {
  const alice = pki.alice['P-256'];
  const again = await issue(pki.trusted, { name: 'alice', keyType: 'P-256', key: alice.privateKey });
  expect(again.privateKey).toBe(alice.privateKey);
  expect(again.thumbprint).not.toBe(alice.thumbprint);
  expect(new X509Certificate(again.certificate).subject).toBe(new X509Certificate(alice.certificate).subject);
  await expect(issue(pki.trusted, { name: 'alice', keyType: 'RSA', key: alice.privateKey })).rejects.toThrow(
    /P-256 key .* says RSA/,
  );
});

test.each([...KEY_TYPES])(
  'client and server authenticate each other with a %s client key',
  async (keyType) => {
    expect(await handshake(pki.alice[keyType])).toEqual({
      authorized: true,
      thumbprint: pki.alice[keyType].thumbprint,
    });
  },
);

test('a self-signed client is what it claims, but not trusted', async () => {
  const loner = await selfSigned('loner');
  expect(await handshake(loner)).toEqual({ authorized: false, thumbprint: loner.thumbprint });
  await expect(selfSigned('a, O=evil')).rejects.toThrow(TypeError);
});

function keyOf(identity: Identity): KeyObject {
  return createPrivateKey(identity.privateKey);
}

/** What a server that trusts the PKI sees of a client. */
async function handshake(identity: Identity): Promise<{ authorized: boolean; thumbprint: string }> {
  const { server: own, trusted } = pki;
  const server = tls.createServer({
    cert: own.chain,
    key: own.privateKey,
    ca: trusted.certificate,
    requestCert: true,
    rejectUnauthorized: false,
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = tls.connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: trusted.certificate,
    cert: identity.chain,
    key: identity.privateKey,
  });
  try {
    const [[socket]] = (await Promise.all([
      once(server, 'secureConnection'),
      once(client, 'secureConnect'),
    ])) as [[tls.TLSSocket], unknown];
    expect(client.authorized).toBe(true);
    const peer = socket.getPeerX509Certificate();
    const thumbprint = Buffer.from(peer?.fingerprint256.replaceAll(':', '') ?? '', 'hex').toString(
      'base64url',
    );
    return { authorized: socket.authorized, thumbprint };
  } finally {
    client.destroy();
    server.close();
  }
}
