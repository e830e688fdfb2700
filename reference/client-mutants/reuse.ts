import { Client, type Dispatcher } from 'undici';
import type { TLSSocket } from 'node:tls';
import { openTls } from '../client/handshake.ts';
import { signerOf } from '../client/identity.ts';
import { defaultClientParts } from '../client/parts.ts';
import type { Proofs, TokenRequest } from '../client/proof-source.ts';
import { createProof } from '../proof/create.ts';
import type { ClientVariant, Surroundings } from '../sidecar/target.ts';
import { exporterOf } from '../tls/exporter.ts';
import { proving } from './making.ts';
import type { ClientMutant } from './mutant.ts';

/** The reference client that remembers proofs under something else than connection and token. */
function remembering(
  keyOf: (request: TokenRequest, connection: Proofs, socket: TLSSocket | undefined) => unknown,
): ClientVariant {
  const kept = new Map<unknown, string | undefined>();
  return proving((inner, { socket }) => ({
    proofFor(request) {
      const key = keyOf(request, inner, socket);
      if (!kept.has(key)) kept.set(key, inner.proofFor(request));
      return kept.get(key);
    },
    refused() {
      kept.clear();
    },
  }));
}

/** Names each connection with something else than itself. */
function perConnection(keyOf: (request: TokenRequest) => string): ClientVariant {
  const numbers = new Map<Proofs, number>();
  return remembering((request, connection) => {
    if (!numbers.has(connection)) numbers.set(connection, numbers.size);
    return `${numbers.get(connection)} ${keyOf(request)}`;
  });
}

function subjectOf(token: string): string {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return JSON.stringify((claims as { sub?: unknown } | null)?.sub) ?? token;
  } catch {
    return token;
  }
}

/** Connections are numbered by the lowest number that is free; what a number stands for is never forgotten. */
function neverPurged(): ClientVariant {
  const taken = new Set<number>();
  const numbers = new Map<Proofs, number>();
  return remembering((request, connection, socket) => {
    let number = numbers.get(connection);
    if (number === undefined) {
      for (number = 0; taken.has(number);) number += 1;
      const own = number;
      numbers.set(connection, own);
      taken.add(own);
      socket?.once('close', () => taken.delete(own));
    }
    return `${number} ${request.token}`;
  });
}

/** Proofs of whatever connection was opened last. */
function ofNewestConnection(): ClientVariant {
  let newest: Proofs | undefined;
  return proving((inner) => {
    newest = inner;
    return { proofFor: (request) => (newest ?? inner).proofFor(request) };
  });
}

/** undici as it is: it chooses, and opens, the connection of a request after the request was proven. */
function provenBeforehand(_client: unknown, { settings, identity, closing }: Surroundings): Dispatcher {
  const { upstream, authorities } = settings;
  const exporters = new WeakMap<TLSSocket, Buffer>();
  let opened: Promise<TLSSocket> | undefined;
  let isTaken = true;
  const open = (): Promise<TLSSocket> => {
    isTaken = false;
    opened = openTls(
      upstream,
      identity(),
      { tls: { ca: authorities }, allowH2: true, connectTimeoutMs: 10_000 },
      defaultClientParts,
    ).then((socket) => {
      exporters.set(socket, exporterOf(socket));
      return socket;
    });
    return opened;
  };
  const client = new Client(upstream.origin, {
    allowH2: true,
    connect(_options, callback) {
      const socket = opened === undefined || isTaken ? open() : opened;
      isTaken = true;
      const hand = async () => {
        try {
          callback(null, await socket);
        } catch (error) {
          opened = undefined;
          callback(error as Error, null);
        }
      };
      void hand();
    },
  });
  closing.addEventListener('abort', () => {
    void client.destroy();
    opened?.then((socket) => socket.destroy()).catch(() => {});
  });
  return client.compose((dispatch) => (options, handler) => {
    const send = (exporter: Buffer | undefined) => {
      const request = defaultClientParts.readFields(options.headers);
      const proof =
        exporter === undefined || request.token === undefined
          ? undefined
          : createProof(signerOf(identity()), {
              token: request.token,
              exporter,
              issuedAt: Math.floor(Date.now() / 1000),
            });
      dispatch({ ...options, headers: defaultClientParts.withProof(request, proof) }, handler);
    };
    (opened ?? open()).then(
      (socket) => send(exporters.get(socket)),
      () => send(undefined),
    );
    return true;
  });
}

/** Mistakes with proofs that are used again (draft -06 §2.1, §3.3.2, Appendix B.3, B.6.1). */
export const reuseMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-07',
    mistake: 'proves for the connection that was opened last, whichever the request goes out on',
    breaks: ['CL-EKM-4', 'CL-SC-6'],
    variant: ofNewestConnection,
  },
  {
    id: 'M-CL-155',
    mistake: 'proves a request before undici chooses the connection that it goes out on',
    breaks: ['CL-EKM-4', 'CL-EKM-5', 'CL-REUSE-3'],
    variant: () => ({ dispatcher: provenBeforehand }),
  },
  {
    id: 'M-CL-156',
    mistake: 'remembers proofs by token, whatever the connection',
    breaks: ['CL-EKM-4', 'CL-REUSE-3', 'CL-SC-3'],
    variant: () => remembering(({ token }) => token),
  },
  {
    id: 'M-CL-50',
    mistake: 'keeps proofs under the number of the connection when it ends, and gives the number to the next',
    breaks: ['CL-SC-3', 'CL-SC-4', 'CL-REUSE-3'],
    variant: neverPurged,
  },
  {
    id: 'M-CL-157',
    mistake: 'makes one proof for a connection, and sends it with every token',
    breaks: ['CL-REUSE-2', 'CL-REUSE-4', 'CL-SC-5', 'CL-PL-2'],
    variant: () => perConnection(() => 'all'),
  },
  {
    id: 'M-CL-158',
    mistake: 'makes one proof for a user on a connection, and goes on with it when the token was renewed',
    breaks: ['CL-REUSE-4', 'CL-PL-2'],
    variant: () => perConnection(({ token }) => subjectOf(token)),
  },
  {
    id: 'M-CL-159',
    mistake: 'tells tokens apart by their first 32 characters',
    breaks: ['CL-REUSE-2', 'CL-SC-5'],
    variant: () => perConnection(({ token }) => token.slice(0, 32)),
  },
  {
    id: 'M-CL-160',
    mistake: 'makes one proof for an HTTP/2 connection, and sends it on every stream',
    breaks: ['CL-REUSE-2', 'CL-SC-5'],
    also: ['TLSv1.3 h2 P-256'],
    variant: () =>
      proving((inner, { socket }) => {
        let first: string | undefined;
        return socket?.alpnProtocol === 'h2'
          ? { proofFor: (request) => (first ??= inner.proofFor(request)) }
          : {};
      }),
  },
];
