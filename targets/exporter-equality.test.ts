/**
 * Every target of this repository that runs in a container derives the same exporter value as Node and OpenSSL do, octet
 * for octet: on TLS 1.2 and 1.3, and on resumed connections (RFC 5705 §4, RFC 8446 §7.5). Builds all images, which takes
 * minutes the first time: `npm run targets` asks for it with TSBT_TARGETS=1.
 *
 * A client tells its value in the proof. A resource server tells it by serving a proof over the value that this end has,
 * and refusing one that differs in a single bit.
 */
import { describe, expect, test } from 'vitest';
import { openStore } from '../certs/store.ts';
import { jwks } from '../certs/token-issuer.ts';
import { Agent } from '../harness/counterpart/agent/agent.ts';
import { startCounterpart } from '../harness/counterpart/resource-server/server.ts';
import { forgeProof } from '../harness/forge/proof.ts';
import { readJwt } from '../harness/forge/read.ts';
import { forgeToken } from '../harness/forge/token.ts';
import { proofsOf } from '../harness/scenario/client/arrival.ts';
import type { Manifest } from '../harness/target/manifest.ts';
import { containerTargets } from '../harness/target/published.ts';
import { startTarget, vantageOf } from '../harness/target/start.ts';
import { originAt } from '../harness/target/vantage.ts';
import { connect } from '../harness/wire/connect.ts';
import type { Connection, Field, HttpVersion, TlsVersion } from '../harness/wire/connection.ts';

const wanted = process.env['TSBT_TARGETS'] === '1';
const manifests = wanted ? await containerTargets() : [];
const store = await openStore();
const alice = store.alice['P-256'];
const TIMEOUT_MS = 15 * 60_000;
/** The servers that resumed a session, with the version of TLS. */
const resumed: string[] = [];

const VERSIONS: readonly (readonly [tls: TlsVersion, capability: 'tls1.2' | 'tls1.3'])[] = [
  ['TLSv1.2', 'tls1.2'],
  ['TLSv1.3', 'tls1.3'],
];

function versionsOf({ capabilities }: Manifest): readonly TlsVersion[] {
  return VERSIONS.filter(([, capability]) => capabilities.includes(capability)).map(([tls]) => tls);
}

function httpOf({ capabilities }: Manifest): HttpVersion {
  return capabilities.includes('http/1.1') ? 'http/1.1' : 'h2';
}

test.skipIf(wanted)('the targets in containers are tried with TSBT_TARGETS=1 only', () => {
  expect(manifests).toEqual([]);
});

describe.runIf(wanted)('exporter values', { timeout: TIMEOUT_MS }, () => {
  test.each(manifests.filter(({ role }) => role === 'resource-server'))(
    'of the resource server $name',
    async (manifest) => {
      const { tokenIssuer, trusted, server } = store;
      await using target = await startTarget(manifest, {
        serverIdentity: server,
        clientAuthorities: trusted.certificate,
        serverAuthorities: trusted.certificate,
        issuer: tokenIssuer.issuer,
        audience: tokenIssuer.audience,
        jwks: jwks(tokenIssuer),
      });
      for (const tls of versionsOf(manifest)) {
        const common = {
          host: target.host,
          port: target.port,
          tls,
          http: httpOf(manifest),
          identity: alice,
          serverAuthorities: trusted.certificate,
        };
        await using first = await connect(common);
        expect(first.facts.resumed).toBe(false);
        await expectEqual(first, manifest);
        const session = await first.session();
        if (session === undefined) continue;
        await using second = await connect({ ...common, session });
        await expectEqual(second, manifest);
        if (second.facts.resumed) resumed.push(`${manifest.name} ${tls}`);
      }
    },
  );

  test('were compared on resumed connections too', () => {
    expect(resumed).toEqual(
      expect.arrayContaining([
        'c-gnutls-sidecar TLSv1.2',
        'c-gnutls-sidecar TLSv1.3',
        'go-crypto-tls TLSv1.2',
        'go-crypto-tls TLSv1.3',
        'java-jsse TLSv1.3',
        'python-pyopenssl TLSv1.2',
        'python-pyopenssl TLSv1.3',
        'rust-rustls TLSv1.2',
        'rust-rustls TLSv1.3',
      ]),
    );
  });

  test.each(manifests.filter(({ role }) => role === 'client'))('of the client $name', async (manifest) => {
    const vantage = await vantageOf(manifest);
    await using counterpart = await startCounterpart({ identity: store.server, address: vantage.address });
    await using target = await startTarget(manifest, {
      clientIdentity: alice,
      serverAuthorities: store.trusted.certificate,
      upstream: originAt(vantage, counterpart.port),
      proofClaims: 'connection',
    });
    await using agent = new Agent(target);
    for (const tls of versionsOf(manifest)) {
      await counterpart.begin({ tls, http: httpOf(manifest) }, () => ({
        kind: 'response',
        status: 200,
        fields: [],
        body: '',
        closes: true,
      }));
      // Each on a connection of its own, the later ones resumed where the client does that.
      for (let number = 1; number <= 3; number++) {
        const token = forgeToken(store.tokenIssuer, { boundTo: alice });
        const fields: readonly Field[] = [['Authorization', `Bearer ${token.compact}`]];
        await agent.send({ method: 'GET', target: '/resource', fields }, 10_000);
      }
      const arrived = counterpart.requests.map((request) => ({
        tls: request.connection.facts.tls,
        ekm: claimOf(proofsOf(request)[0] ?? '', 'ekm'),
        own: request.connection.exporter().toString('base64url'),
      }));
      expect(arrived.length).toBeGreaterThanOrEqual(3);
      expect(arrived).toEqual(arrived.map(({ own }) => ({ tls, ekm: own, own })));
    }
  });
});

/** The target serves a proof over this end's value, and refuses one over a value that differs in a bit. */
async function expectEqual(connection: Connection, { paths }: Manifest): Promise<void> {
  const own = connection.exporter();
  const other = Buffer.from(own);
  other.writeUInt8(other.readUInt8(31) ^ 1, 31);
  const status = async (ekm: Buffer): Promise<unknown> => {
    const token = forgeToken(store.tokenIssuer, { boundTo: alice }).compact;
    const fields: readonly Field[] = [
      ['Authorization', `Bearer ${token}`],
      ['Session-Binding-Proof', forgeProof({ token, ekm, identity: alice })],
    ];
    const authority = `localhost:${connection.options.port}`;
    const outcome = await connection.send(
      { method: 'GET', target: paths.protected, authority, fields },
      10_000,
    );
    return outcome.type === 'response' ? outcome.status : outcome.detail;
  };
  const { facts } = connection;
  expect([facts, await status(own), await status(other)]).toEqual([facts, 200, 401]);
}

function claimOf(proof: string, name: string): unknown {
  const { claims } = readJwt(proof);
  return typeof claims === 'object' && claims !== null && name in claims
    ? (claims as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
