import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { serverEndPointOf } from '../../wire/channel-bindings.ts';
import { ExporterSource, type ExporterSecrets } from '../../wire/exporter-source.ts';
import { hasExtendedMasterSecret } from '../../wire/extended-master-secret.ts';
import type { KeyLog } from '../../wire/key-log.ts';
import { readSslSession } from '../../wire/ssl-session.ts';
import { endingOf } from '../../wire/tls-failure.ts';
import type { Established } from './established.ts';

/** Longest certificate chain that is kept. */
const MAX_CHAIN = 10;

/** What a handshake of `node:tls` left behind. */
export interface HandshakeRemains {
  readonly tcp: Socket;
  readonly socket: TLSSocket;
  readonly keyLog: KeyLog;
  /** `undefined` where it is not known, or not needed (TLS 1.3). */
  readonly serverRandom: Buffer | undefined;
  /** The server's certificate, DER. */
  readonly certificate: Uint8Array;
  readonly clientPort: number;
  readonly handshakeMs: number;
}

/**
 * Reads all that is to be known of a connection; to be called in the turn in which its handshake completes.
 *
 * @throws {Error} if the exporter value is not confirmed by the key log: a fault of the harness
 */
export function establishedByNode(remains: HandshakeRemains): Established {
  const { tcp, socket, keyLog } = remains;
  const tls = socket.getProtocol() ?? 'unknown';
  const cipher = socket.getCipher().standardName;
  const der = socket.getSession();
  const session = der === undefined ? undefined : readSslSession(der);
  const resumed = socket.isSessionReused();
  let exporter = sourceOf(socket, exporterSecretsOf(tls, cipher, remains));
  let renegotiated: (() => void) | undefined;
  // A renegotiation, whoever began it: the values are new, and its ServerHello is not to be seen.
  socket.on('secure', () => {
    if (socket.destroyed) return;
    exporter = sourceOf(socket, undefined);
    renegotiated?.();
  });
  return {
    tcp,
    stream: socket,
    facts: {
      tls,
      cipher,
      alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : 'none',
      extendedMasterSecret: hasExtendedMasterSecret(tls, session),
      resumed,
      serverName: serverNameOf(socket),
      clientPort: remains.clientPort,
      exporterCheck: exporter.check,
      handshakeMs: remains.handshakeMs,
    },
    clientChain: chainOf(socket),
    // The first Finished is the client's in a full handshake, the server's in an abbreviated one (RFC 5929 §3.1).
    tlsUnique: tls === 'TLSv1.3' ? undefined : resumed ? socket.getFinished() : socket.getPeerFinished(),
    serverEndPoint: serverEndPointOf(remains.certificate),
    clientRandom: keyLog.clientRandom,
    sessionId: session !== undefined && session.sessionId.length > 0 ? session.sessionId : undefined,
    earlyData: Buffer.alloc(0),
    exporter: (derivation) => exporter.value(derivation, socket.destroyed),
    renegotiate: (refused) => {
      socket.renegotiate({ requestCert: true, rejectUnauthorized: false }, (error) => {
        if (error !== null) refused(endingOf(error, 'established').detail);
      });
    },
    onRenegotiated: (callback) => {
      renegotiated = callback;
    },
    keyUpdate: () => {
      throw new Error('a KeyUpdate needs a transport plan with the engine `openssl`');
    },
  };
}

function sourceOf(socket: TLSSocket, secrets: ExporterSecrets | undefined): ExporterSource {
  return new ExporterSource(
    ({ label, context, length }) =>
      // Without a context the argument must be undefined: on TLS 1.2 a zero-length one is another value.
      socket.exportKeyingMaterial(
        length,
        label,
        (context === null ? undefined : Buffer.from(context)) as Buffer,
      ),
    secrets,
  );
}

function exporterSecretsOf(
  tls: string,
  cipher: string,
  { keyLog, serverRandom }: HandshakeRemains,
): ExporterSecrets | undefined {
  const { exporterSecret, masterSecret, clientRandom } = keyLog;
  if (tls === 'TLSv1.3' && exporterSecret) return { tls: '1.3', cipher, exporterSecret };
  if (tls === 'TLSv1.2' && masterSecret && serverRandom)
    return { tls: '1.2', cipher, masterSecret, clientRandom, serverRandom };
  return undefined;
}

function serverNameOf(socket: TLSSocket): string | null {
  const name: unknown = 'servername' in socket ? socket.servername : undefined;
  return typeof name === 'string' ? name : null;
}

function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (
    let certificate = socket.getPeerX509Certificate();
    certificate !== undefined && chain.length < MAX_CHAIN;
    certificate = certificate.issuerCertificate
  ) {
    // A copy: Node's own is tied to the connection.
    if (certificate.raw.equals(chain.at(-1)?.raw ?? Buffer.alloc(0))) break;
    chain.push(new X509Certificate(certificate.raw));
  }
  return chain;
}
