import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

/** What a server did when it was greeted. */
export type Greeting =
  /** The handshake was completed; `certificate` is the server's, DER. */
  | { readonly type: 'handshake'; readonly certificate: Buffer | undefined }
  /** It accepted a TCP connection, and no more was asked of it. */
  | { readonly type: 'accepted' }
  /** It answered with a TLS alert: a TLS server, but it wants something of its clients. */
  | { readonly type: 'alert' }
  /** It answered with something that is not TLS. */
  | { readonly type: 'not-tls' }
  /** It did not answer in time, or ended the connection. `detail` in words. */
  | { readonly type: 'silent'; readonly detail: string }
  /** The host's name does not resolve. */
  | { readonly type: 'no-such-host' };

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;
/** A proxy that has nobody to hand a connection to drops it in less. */
const DROPPED_WITHIN_MS = 300;

/**
 * Greets a TLS server until it answers: tries to connect, again and again while the connection is refused,
 * then makes one handshake in which any certificate of the server will do.
 *
 * @param signal ends the waiting: the greeting is then `silent`
 * @param timeoutMs bound of the whole
 */
export async function greet(
  host: string,
  port: number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Greeting> {
  return greetWith(attempt, host, port, timeoutMs, signal);
}

/** Tries to connect to a server of plain TCP, again and again, until it accepts a connection; as in {@link greet}. */
export async function knock(
  host: string,
  port: number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Greeting> {
  return greetWith(attemptTcp, host, port, timeoutMs, signal);
}

/**
 * As {@link knock}, where a proxy accepts connections before the target does, such as the one that publishes a container's
 * port: it drops what it cannot hand on. A line that is not HTTP is sent, which servers answer with 400, so that nothing
 * is sent on by a client under test; one that drops such a connection too is heard by its keeping a silent one open.
 */
export async function knockThrough(
  host: string,
  port: number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Greeting> {
  return greetWith(attemptThrough, host, port, timeoutMs, signal);
}

async function greetWith(
  attempt: (host: string, port: number, bound: AbortSignal) => Promise<Greeting>,
  host: string,
  port: number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Greeting> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const bound = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
  let greeting: Greeting = { type: 'silent', detail: 'there was no time to connect' };
  for (let pause = FIRST_PAUSE_MS; !bound.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const latest = await attempt(host, port, bound);
    if (latest.type !== 'silent') return latest;
    // That the bound cut the last attempt short says less than what the attempts before it met.
    if (!bound.aborted || greeting.detail === 'there was no time to connect') greeting = latest;
    await elapsed(pause, bound);
  }
  return greeting;
}

async function attempt(host: string, port: number, bound: AbortSignal): Promise<Greeting> {
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
      minVersion: 'TLSv1.2',
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    const end = (greeting: Greeting): void => {
      bound.removeEventListener('abort', onBound);
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      leave(socket, greeting);
      resolve(greeting);
    };
    const onBound = (): void =>
      end({
        type: 'silent',
        detail: socket.connecting
          ? 'it did not accept the connection'
          : 'it accepted the connection, but did not answer the TLS handshake',
      });
    bound.addEventListener('abort', onBound, { once: true });
    socket.once('secureConnect', () =>
      end({ type: 'handshake', certificate: socket.getPeerX509Certificate()?.raw }),
    );
    socket.once('error', (error: NodeJS.ErrnoException) => end(judge(error)));
    socket.once('close', () => end({ type: 'silent', detail: 'it ended the connection in the handshake' }));
  });
}

async function attemptTcp(host: string, port: number, bound: AbortSignal): Promise<Greeting> {
  return meetTcp(host, port, bound, (socket, end) => {
    socket.once('connect', () => end({ type: 'accepted' }));
  });
}

async function attemptThrough(host: string, port: number, bound: AbortSignal): Promise<Greeting> {
  const answered = await meetTcp(host, port, bound, (socket, end) => {
    socket.once('data', () => end({ type: 'accepted' }));
    socket.write('knock\r\n\r\n');
  });
  if (answered.type === 'accepted') return answered;
  return meetTcp(host, port, bound, (socket, end) => {
    socket.once('connect', () => socket.setTimeout(DROPPED_WITHIN_MS, () => end({ type: 'accepted' })));
    socket.resume();
  });
}

/** What `listen` makes of a TCP connection, or how it ended. */
async function meetTcp(
  host: string,
  port: number,
  bound: AbortSignal,
  listen: (socket: Socket, end: (greeting: Greeting) => void) => void,
): Promise<Greeting> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port });
    const end = (greeting: Greeting): void => {
      bound.removeEventListener('abort', onBound);
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      socket.destroy();
      resolve(greeting);
    };
    const onBound = (): void => end({ type: 'silent', detail: 'it did not accept the connection' });
    bound.addEventListener('abort', onBound, { once: true });
    socket.once('error', (error: NodeJS.ErrnoException) => end(judge(error)));
    socket.once('close', () => end({ type: 'silent', detail: 'it ended the connection' }));
    listen(socket, end);
  });
}

/** Ends the greeting politely (close_notify) where a handshake was made, so that the target has nothing to complain of. */
function leave(socket: TLSSocket, greeting: Greeting): void {
  if (greeting.type !== 'handshake') {
    socket.destroy();
    return;
  }
  socket.resume();
  socket.end();
  socket.setTimeout(1000, () => socket.destroy());
  socket.unref();
}

function judge(error: NodeJS.ErrnoException): Greeting {
  const code = error.code ?? '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return { type: 'no-such-host' };
  if (code.includes('_ALERT_')) return { type: 'alert' };
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return { type: 'not-tls' };
  if (code === 'ECONNREFUSED') return { type: 'silent', detail: 'it refuses connections' };
  if (code === 'ECONNRESET') return { type: 'silent', detail: 'it resets connections' };
  return { type: 'silent', detail: `connecting failed with ${code === '' ? error.message : code}` };
}

async function elapsed(ms: number, bound: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      bound.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    bound.addEventListener('abort', end, { once: true });
    if (bound.aborted) end();
  });
}
