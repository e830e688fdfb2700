import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import type { Dispatcher } from 'undici';
import { defaultClientParts } from '../client/parts.ts';
import { createProof } from '../proof/create.ts';
import type { ClientVariant, Surroundings } from '../sidecar/target.ts';
import type { ClientMutant } from './mutant.ts';
import { detached, fieldsOf, resending, withoutFields } from './resending.ts';

/** What Node puts before OpenSSL's encoding of a session: this mark, then the server name with its length. */
const NODE_MARK = '\0nodejs:tls:session:1\0';
/** `[15] EXPLICIT INTEGER` of OpenSSL's SSL_SESSION: how much early data the server takes. */
const MAXIMUM_EARLY_DATA = 0xaf;

function encodingOf(session: Buffer): Buffer {
  if (session.toString('latin1', 0, NODE_MARK.length) !== NODE_MARK) return session;
  return session.subarray(NODE_MARK.length + 2 + session.readUInt16BE(NODE_MARK.length));
}

/** Length of a DER element's head, and of its contents. */
function lengthsAt(der: Buffer, offset: number): [number, number] {
  const first = der.readUInt8(offset + 1);
  return first < 0x80 ? [2, first] : [2 + first - 0x80, der.readUIntBE(offset + 2, first - 0x80)];
}

function takesEarlyData(session: Buffer): boolean {
  const der = encodingOf(session);
  for (let [offset] = lengthsAt(der, 0); offset < der.length;) {
    const [head, contents] = lengthsAt(der, offset);
    if (der[offset] === MAXIMUM_EARLY_DATA) return der.subarray(offset + head + 2).some((octet) => octet > 0);
    offset += head + contents;
  }
  return false;
}

/** Sends octets as early data with OpenSSL's own client, since Node cannot, and reads what comes until the end. */
async function sendEarly(session: Buffer, octets: string, { settings, identity, closing }: Surroundings) {
  const folder = await mkdtemp(join(tmpdir(), 'early-data-'));
  const file = async (name: string, contents: string) => {
    await writeFile(join(folder, name), contents);
    return join(folder, name);
  };
  const { upstream, authorities } = settings;
  const body = encodingOf(session).toString('base64').replace(/.{64}/g, '$&\n');
  const name = 'SSL SESSION PARAMETERS';
  try {
    const child = spawn(
      'openssl',
      [
        's_client',
        '-quiet',
        '-tls1_3',
        `-connect=${upstream.hostname}:${upstream.port || 443}`,
        `-servername=${upstream.hostname}`,
        `-CAfile=${await file('ca.pem', authorities)}`,
        `-cert=${await file('client.pem', identity().certificate)}`,
        `-key=${await file('key.pem', identity().key)}`,
        `-sess_in=${await file('session.pem', `-----BEGIN ${name}-----\n${body}\n-----END ${name}-----\n`)}`,
        `-early_data=${await file('early.txt', octets)}`,
      ].flatMap((argument) => argument.split(/(?<=^-\w+)=/)),
      { stdio: ['pipe', 'pipe', 'ignore'], signal: closing, timeout: 5000 },
    );
    child.on('error', () => {});
    const [received] = await Promise.all([text(child.stdout.setEncoding('latin1')), once(child, 'close')]);
    return received;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function pass(received: string, handler: Dispatcher.DispatchHandler): void {
  const [, head = '', body = ''] = /^(.*?)\r\n\r\n(.*)$/s.exec(received) ?? [];
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
  if (status === 0) {
    handler.onResponseError?.(detached, new Error('there was no response to early data'));
    return;
  }
  handler.onRequestStart?.(detached, {});
  handler.onResponseStart?.(detached, status, {}, '');
  handler.onResponseData?.(detached, Buffer.from(body, 'latin1'));
  handler.onResponseEnd?.(detached, {});
}

/** Mark of a request that is to go out as early data; it goes no further than here. */
const EARLY = 'x-early';

/**
 * Resumes with early data where the server takes it: the request of before, with the proof of before.
 *
 * @param when a connection has to be made anyway, or a request was answered 425
 */
function sendingEarly(when: 'reconnecting' | 'too-early'): ClientVariant {
  let session: Buffer | undefined;
  const open = new Set<TLSSocket>();
  const proofs = new Map<string, string>();
  return {
    client: {
      parts: {
        proofsOf(basis) {
          const { socket } = basis;
          if (socket !== undefined) {
            open.add(socket);
            socket.once('close', () => open.delete(socket));
          }
          return defaultClientParts.proofsOf(basis);
        },
        objectionTo(socket) {
          socket.on('session', (own) => (session = own));
          return defaultClientParts.objectionTo(socket);
        },
        createProof(signer, content) {
          const proof = createProof(signer, content);
          proofs.set(content.token, proof);
          return proof;
        },
      },
    },
    dispatcher(client, surroundings) {
      const early = client.compose((dispatch) => (marked, handler) => {
        const options = withoutFields(marked, EARLY);
        const request = defaultClientParts.readFields(options.headers);
        const proof = proofs.get(request.token ?? '');
        const resumable = session;
        const isWanted =
          when === 'reconnecting' ? open.size === 0 : fieldsOf(marked).length > request.fields.length;
        if (resumable === undefined || proof === undefined || !isWanted || options.method !== 'GET') {
          return dispatch(options, handler);
        }
        if (!takesEarlyData(resumable)) return dispatch(options, handler);
        session = undefined;
        const fields = defaultClientParts.withProof(request, proof);
        const lines = fields.flatMap((text, index) =>
          index % 2 === 0 ? [`${text}: ${fields[index + 1]}`] : [],
        );
        const { host } = surroundings.settings.upstream;
        const head = [`GET ${options.path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...lines];
        void sendEarly(resumable, `${head.join('\r\n')}\r\n\r\n`, surroundings).then(
          (received) => pass(received, handler),
          (error: Error) => handler.onResponseError?.(detached, error),
        );
        return true;
      });
      return resending(({ status, options, before }) =>
        when === 'too-early' && status === 425 && before === 0
          ? { ...options, headers: [...fieldsOf(options), EARLY, '1'] }
          : undefined,
      )(early, surroundings);
    },
  };
}

/** Mistakes with early data (RFC 8446 §2.3, draft -06 §5.3). */
export const earlyDataMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-10',
    mistake:
      'resumes with early data where the server takes it, with the token and the proof of before in it',
    breaks: ['CL-EKM-7'],
    variant: () => sendingEarly('reconnecting'),
  },
  {
    id: 'M-CL-333',
    mistake:
      'sends what was answered 425 again as early data, where the server takes it, with the proof of before',
    breaks: ['CL-EKM-7'],
    variant: () => sendingEarly('too-early'),
  },
];
