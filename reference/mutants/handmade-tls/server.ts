import { randomBytes, X509Certificate } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { RequestListener } from '../../resource-server/protect.ts';
import type { TlsMaterial } from '../../resource-server/server.ts';
import {
  deriveSecret,
  expandLabel,
  exported,
  HASH_LENGTH,
  hmac,
  nextSecret,
  RecordProtection,
  sha256,
} from './key-schedule.ts';
import {
  certificate,
  certificateRequest,
  certificateVerify,
  encryptedExtensions,
  HANDSHAKE,
  message,
  newSessionTicket,
  provesPossession,
  readCertificates,
  readClientHello,
  serverHello,
} from './messages.ts';
import type { TargetVariant } from '../../resource-server/target.ts';

/**
 * A TLS 1.3 server by hand, for mistakes that OpenSSL does not let one make from Node. It knows one cipher suite, one
 * group and HTTP/1.1, and is for nothing but mutants.
 */
interface HandmadeOptions {
  readonly material: TlsMaterial;
  readonly listener: RequestListener;
  /** What becomes of a certificate whose key the client's CertificateVerify does not prove. */
  readonly unproven: 'ends the handshake' | 'counts for none' | 'counts';
  /** Whether early data is taken; requests in it are handled at once, and see the early exporter. */
  readonly earlyData: boolean;
  /** Whether KeyUpdate is understood (RFC 8446 §4.6.3); else it ends the connection. */
  readonly keyUpdates: boolean;
  /** Whether the exporter value is derived from what the TLS session holds, where connections that resume it leave theirs. */
  readonly exportsFromSession?: boolean;
  /** What the HTTP server gets to read instead of what was received in a record. */
  readonly tidies?: (received: Buffer) => Buffer;
}

interface Session {
  readonly secret: Buffer;
  readonly certificates: readonly X509Certificate[];
  /** Shared by all connections that stem from one full handshake. */
  readonly exporter: { secret: Buffer };
}

const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
const NONCE = Uint8Array.of(0);
const RECORD = 16_384;
const TYPE = { changeCipherSpec: 20, alert: 21, handshake: 22, data: 23 };

/** The reference on handmade TLS that is right but for these settings. */
export function onHandmadeTls(
  mistake: Partial<Omit<HandmadeOptions, 'material' | 'listener'>>,
): TargetVariant {
  return {
    server: (material, listener) =>
      createHandmadeServer({
        material,
        listener,
        unproven: 'ends the handshake',
        earlyData: false,
        keyUpdates: true,
        ...mistake,
      }),
  };
}

/** Creates the server; it does not listen yet. */
function createHandmadeServer(options: HandmadeOptions): Server {
  const http = createHttpServer({ keepAliveTimeout: 120_000 }, options.listener);
  const sessions = new Map<string, Session>();
  return createTcpServer({ noDelay: true }, (tcp) => {
    http.emit('connection', new HandmadeSocket(tcp, options, sessions));
  });
}

/** What a resource server asks of a TLS socket, on a connection of this server. */
class HandmadeSocket extends Duplex {
  readonly encrypted = true;
  readonly #tcp: Socket;
  readonly #options: HandmadeOptions;
  readonly #sessions: Map<string, Session>;
  #octets: Buffer = Buffer.alloc(0);
  #messages: Buffer = Buffer.alloc(0);
  #transcript: Buffer = Buffer.alloc(0);
  #reading: RecordProtection | undefined;
  #writing: RecordProtection | undefined;
  #handshakeReading: RecordProtection | undefined;
  #master: Buffer = Buffer.alloc(0);
  #exporter: Session['exporter'] = { secret: Buffer.alloc(0) };
  #earlyExporter: Buffer | undefined;
  #clientData: Buffer = Buffer.alloc(0);
  #certificates: readonly X509Certificate[] = [];

  constructor(tcp: Socket, options: HandmadeOptions, sessions: Map<string, Session>) {
    super();
    this.#tcp = tcp;
    this.#options = options;
    this.#sessions = sessions;
    tcp.on('error', () => this.destroy());
    tcp.on('close', () => this.destroy());
    tcp.on('end', () => this.push(null));
    tcp.on('data', (octets: Buffer) => {
      this.#octets = Buffer.concat([this.#octets, octets]);
      try {
        this.#readRecords();
      } catch {
        this.destroy();
      }
    });
  }

  get authorized(): boolean {
    const anchor = new X509Certificate(this.#options.material.clientAuthorities);
    const [leaf] = this.#certificates;
    const now = new Date();
    if (leaf === undefined || leaf.validFromDate > now || leaf.validToDate < now) return false;
    if (!(leaf.keyUsage?.includes(CLIENT_AUTHENTICATION) ?? true)) return false;
    const issuedBy = (child: X509Certificate, parent: X509Certificate): boolean =>
      child.checkIssued(parent) && child.verify(parent.publicKey);
    let last = leaf;
    for (const [, next] of [...this.#certificates].entries())
      if (next.ca && issuedBy(last, next)) last = next;
    return issuedBy(last, anchor);
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    return this.#certificates[0];
  }

  /** All certificates of the client's Certificate message, which Node gives only as far as each has issued the one before. */
  get clientChain(): readonly X509Certificate[] {
    return this.#certificates;
  }

  getProtocol(): string {
    return 'TLSv1.3';
  }

  /** Before the client's Finished there is only the early exporter to be had, on a connection with early data. */
  exportKeyingMaterial(length: number, label: string, context: Buffer): Buffer {
    return exported(this.#earlyExporter ?? this.#exporter.secret, length, label, context);
  }

  disableRenegotiation(): void {
    // TLS 1.3 has none.
  }

  override _read(): void {
    this.#tcp.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (let at = 0; at < chunk.length; at += RECORD) this.#send(TYPE.data, chunk.subarray(at, at + RECORD));
    done();
  }

  override _final(done: () => void): void {
    this.#send(TYPE.alert, Uint8Array.of(1, 0));
    this.#tcp.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#tcp.destroy();
    done(error);
  }

  #send(type: number, content: Uint8Array): void {
    if (this.#tcp.writable && this.#writing !== undefined) this.#tcp.write(this.#writing.seal(type, content));
  }

  #readRecords(): void {
    while (this.#octets.length >= 5) {
      const end = 5 + this.#octets.readUInt16BE(3);
      if (this.#octets.length < end) return;
      const [header, body] = [this.#octets.subarray(0, 5), this.#octets.subarray(5, end)];
      this.#octets = this.#octets.subarray(end);
      const outer = header.readUInt8(0);
      if (outer === TYPE.changeCipherSpec) continue;
      if (outer === TYPE.data && this.#reading === undefined)
        throw new RangeError('data before the handshake');
      const record =
        outer === TYPE.data && this.#reading !== undefined
          ? this.#reading.open(header, body)
          : { type: outer, content: body };
      if (record.type === TYPE.data) this.push(this.#options.tidies?.(record.content) ?? record.content);
      else if (record.type === TYPE.handshake) this.#readMessages(record.content);
      else if (record.content[1] === 0) this.push(null);
      else throw new RangeError('the client sent an alert');
    }
  }

  #readMessages(octets: Buffer): void {
    this.#messages = Buffer.concat([this.#messages, octets]);
    while (this.#messages.length >= 4) {
      const end = 4 + this.#messages.readUIntBE(1, 3);
      if (this.#messages.length < end) return;
      const whole = this.#messages.subarray(0, end);
      this.#messages = this.#messages.subarray(end);
      this.#receive(whole.readUInt8(0), whole.subarray(4), whole);
    }
  }

  #receive(type: number, body: Buffer, whole: Buffer): void {
    const before = sha256(this.#transcript);
    if (type !== HANDSHAKE.keyUpdate) this.#transcript = Buffer.concat([this.#transcript, whole]);
    switch (type) {
      case HANDSHAKE.clientHello:
        return this.#answer(body);
      case HANDSHAKE.endOfEarlyData:
        this.#reading = this.#handshakeReading;
        return;
      case HANDSHAKE.certificate:
        this.#certificates = readCertificates(body);
        return;
      case HANDSHAKE.certificateVerify: {
        const key = this.#certificates[0]?.publicKey;
        const proven = key !== undefined && provesPossession(body, key, before);
        const { unproven } = this.#options;
        if (proven || unproven === 'counts') return;
        if (unproven === 'ends the handshake') throw new RangeError('CertificateVerify is wrong');
        this.#certificates = [];
        return;
      }
      case HANDSHAKE.finished:
        return this.#finish(body, before);
      case HANDSHAKE.keyUpdate:
        if (!this.#options.keyUpdates) throw new RangeError('an unexpected message');
        this.#reading = this.#reading?.next();
        if (body[0] !== 1) return;
        this.#send(TYPE.handshake, message(HANDSHAKE.keyUpdate, Uint8Array.of(0)));
        this.#writing = this.#writing?.next();
        return;
      default:
        throw new RangeError('an unexpected message');
    }
  }

  /** The server's whole flight. */
  #answer(body: Buffer): void {
    const { material, earlyData } = this.#options;
    const hello = readClientHello(body);
    const session = hello.ticket === undefined ? undefined : this.#sessions.get(hello.ticket);
    const early = nextSecret(undefined, session?.secret);
    const takesEarly = earlyData && hello.earlyData && session !== undefined;
    const helloHash = sha256(this.#transcript);
    const { octets, shared } = serverHello(hello, session !== undefined);
    this.#transcript = Buffer.concat([this.#transcript, octets]);
    this.#tcp.write(
      Buffer.concat([
        Buffer.from([TYPE.handshake, 3, 3, octets.length >> 8, octets.length & 0xff]),
        octets,
        Buffer.from([TYPE.changeCipherSpec, 3, 3, 0, 1, 1]),
      ]),
    );
    const handshake = nextSecret(early, shared);
    const hash = sha256(this.#transcript);
    this.#handshakeReading = new RecordProtection(deriveSecret(handshake, 'c hs traffic', hash));
    this.#writing = new RecordProtection(deriveSecret(handshake, 's hs traffic', hash));
    this.#say(encryptedExtensions(takesEarly));
    if (session === undefined) {
      this.#say(certificateRequest());
      this.#say(certificate(material.certificate));
      this.#say(certificateVerify(material.key, sha256(this.#transcript)));
    } else {
      this.#certificates = session.certificates;
    }
    this.#say(message(HANDSHAKE.finished, finished(this.#writing, sha256(this.#transcript))));
    this.#master = nextSecret(handshake);
    const flightHash = sha256(this.#transcript);
    this.#writing = new RecordProtection(deriveSecret(this.#master, 's ap traffic', flightHash));
    this.#clientData = deriveSecret(this.#master, 'c ap traffic', flightHash);
    if (session !== undefined && this.#options.exportsFromSession === true) this.#exporter = session.exporter;
    this.#exporter.secret = deriveSecret(this.#master, 'exp master', flightHash);
    if (takesEarly) this.#earlyExporter = deriveSecret(early, 'e exp master', helloHash);
    this.#reading = takesEarly
      ? new RecordProtection(deriveSecret(early, 'c e traffic', helloHash))
      : this.#handshakeReading;
  }

  #say(octets: Buffer): void {
    this.#transcript = Buffer.concat([this.#transcript, octets]);
    this.#send(TYPE.handshake, octets);
  }

  #finish(body: Buffer, before: Buffer): void {
    if (this.#handshakeReading === undefined || !finished(this.#handshakeReading, before).equals(body))
      throw new RangeError('Finished is wrong');
    this.#earlyExporter = undefined;
    this.#reading = new RecordProtection(this.#clientData);
    const resumption = deriveSecret(this.#master, 'res master', sha256(this.#transcript));
    const ticket = randomBytes(16);
    this.#sessions.set(ticket.toString('hex'), {
      secret: expandLabel(resumption, 'resumption', NONCE, HASH_LENGTH),
      certificates: this.#certificates,
      exporter: this.#exporter,
    });
    this.#send(TYPE.handshake, newSessionTicket(ticket, NONCE, this.#options.earlyData));
  }
}

function finished({ secret }: RecordProtection, transcriptHash: Buffer): Buffer {
  return hmac(expandLabel(secret, 'finished', Buffer.alloc(0), HASH_LENGTH), transcriptHash);
}
