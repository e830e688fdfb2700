import { X509Certificate } from 'node:crypto';
import type { Identity } from '../../../certs/identity.ts';
import { serverEndPointOf } from '../../wire/channel-bindings.ts';
import { ExporterSource, type ExporterSecrets, type FullDerivation } from '../../wire/exporter-source.ts';
import { hasExtendedMasterSecret } from '../../wire/extended-master-secret.ts';
import { opensslError, type Pointer } from '../../wire/libssl.ts';
import { sessionOf } from '../../wire/openssl-handshake.ts';
import { readSslSession } from '../../wire/ssl-session.ts';
import type { Established } from './established.ts';
import type { OpenSslServer } from './openssl-server.ts';

const HOST_NAME = 0;
const RANDOM_LENGTH = 32;
const MASTER_SECRET_LENGTH = 48;
const MAX_FINISHED = 64;

/** Reads all that is to be known of a connection that OpenSSL has made; HTTP/1.1 without ALPN. */
export function establishedByOpenSsl(
  server: OpenSslServer,
  identity: Identity,
  clientPort: number,
  handshakeMs: number,
): Established {
  const { lib, tcp, stream } = server;
  const { ssl } = server.handle;
  const tls = lib.SSL_get_version(ssl);
  const cipher = lib.SSL_CIPHER_standard_name(lib.SSL_get_current_cipher(ssl));
  const der = sessionOf(lib, ssl)?.der;
  const session = der === undefined ? undefined : readSslSession(der);
  const resumed = lib.SSL_session_reused(ssl) === 1;
  const exporter = new ExporterSource(
    (derivation) => exported(server, derivation),
    secretsOf(server, tls, cipher),
  );
  const peer = session?.peerCertificate;
  return {
    tcp,
    stream,
    facts: {
      tls,
      cipher,
      alpn: 'none',
      extendedMasterSecret: hasExtendedMasterSecret(tls, session),
      resumed,
      serverName: lib.SSL_get_servername(ssl, HOST_NAME),
      clientPort,
      exporterCheck: exporter.check,
      handshakeMs,
    },
    clientChain: peer === undefined ? [] : [new X509Certificate(peer)],
    tlsUnique:
      tls === 'TLSv1.3'
        ? undefined
        : read(resumed ? lib.SSL_get_finished : lib.SSL_get_peer_finished, ssl, MAX_FINISHED),
    serverEndPoint: serverEndPointOf(new X509Certificate(identity.certificate).raw),
    clientRandom: read(lib.SSL_get_client_random, ssl, RANDOM_LENGTH),
    sessionId: session !== undefined && session.sessionId.length > 0 ? session.sessionId : undefined,
    earlyData: server.earlyData,
    exporter: (derivation) => exporter.value(derivation, !server.usable),
    renegotiate: (refused) => {
      refused('a renegotiation needs a transport plan with the engine `node`');
    },
    onRenegotiated: () => undefined,
    keyUpdate: () => {
      server.keyUpdate();
    },
  };
}

function exported({ lib, handle }: OpenSslServer, { label, context, length }: FullDerivation): Buffer {
  const out = Buffer.alloc(length);
  const name = Buffer.from(label, 'latin1');
  const octets = context ?? new Uint8Array();
  // OpenSSL takes a null pointer for no context at all; an empty buffer may become one.
  const given = octets.length === 0 ? Buffer.alloc(1) : Buffer.from(octets);
  const result = lib.SSL_export_keying_material(
    handle.ssl,
    out,
    length,
    name,
    name.length,
    given,
    octets.length,
    context === null ? 0 : 1,
  );
  if (result !== 1) throw new Error(`no exporter value: ${opensslError(lib)}`);
  return out;
}

/** On TLS 1.2 OpenSSL gives out all that the exporter is computed from. */
function secretsOf({ lib, handle }: OpenSslServer, tls: string, cipher: string): ExporterSecrets | undefined {
  const { ssl } = handle;
  const session = lib.SSL_get_session(ssl);
  if (tls !== 'TLSv1.2' || session === null) return undefined;
  return {
    tls: '1.2',
    cipher,
    masterSecret: read(lib.SSL_SESSION_get_master_key, session, MASTER_SECRET_LENGTH),
    clientRandom: read(lib.SSL_get_client_random, ssl, RANDOM_LENGTH),
    serverRandom: read(lib.SSL_get_server_random, ssl, RANDOM_LENGTH),
  };
}

type Getter = (of: Pointer, into: Buffer, length: number) => number | bigint;

function read(get: Getter, of: Pointer, length: number): Buffer {
  const octets = Buffer.alloc(length);
  return octets.subarray(0, Number(get(of, octets, length)));
}
