import { randomUUID } from 'node:crypto';
import { Client, type Dispatcher } from 'undici';
import type { TLSSocket } from 'node:tls';
import { openTls } from '../client/handshake.ts';
import { signerOf } from '../client/identity.ts';
import { defaultClientParts } from '../client/parts.ts';
import type { Proofs, TokenRequest } from '../client/proof-source.ts';
import { createProof, type ProofSigner } from '../proof/create.ts';
import { CLAIM } from '../proof/vocabulary.ts';
import type { ClientVariant, Surroundings } from '../sidecar/target.ts';
import { exporterOf } from '../tls/exporter.ts';
import { making, proving, withParts } from './making.ts';
import type { ClientMutant } from './mutant.ts';
import { fieldsOf, resending } from './resending.ts';

/** The reference client that remembers proofs under something else than connection and token; not those of single requests. */
function remembering(
  keyOf: (request: TokenRequest, connection: Proofs, socket: TLSSocket | undefined) => unknown,
): ClientVariant {
  const kept = new Map<unknown, string | undefined>();
  return proving((inner, { socket, policy }) => ({
    proofFor(request) {
      if (policy.claims === 'request') return inner.proofFor(request);
      const key = keyOf(request, inner, socket);
      if (!kept.has(key)) kept.set(key, inner.proofFor(request));
      return kept.get(key);
    },
    refused(token, proof) {
      kept.clear();
      inner.refused(token, proof);
    },
  }));
}

/** Says in each proof for which request it was made first. */
function describingFirst(): ClientVariant {
  let current: TokenRequest | undefined;
  const { client } = proving((inner) => ({
    proofFor(request) {
      current = request;
      return inner.proofFor(request);
    },
  }));
  const { client: maker } = making(({ claims }) => {
    claims[CLAIM.method] = current?.method;
    claims[CLAIM.target] = current?.target;
  });
  return { client: { parts: { ...client?.parts, ...maker?.parts } } };
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

/** What is proven of a connection, and with what. */
interface Opened {
  readonly socket: TLSSocket;
  readonly exporter: Buffer;
  readonly signer: ProofSigner;
}

/** undici as it is: it chooses, and opens, the connection of a request after the request was proven. */
function provenBeforehand(_client: unknown, { settings, identity, closing }: Surroundings): Dispatcher {
  const { upstream, authorities, claims } = settings;
  let opened: Promise<Opened> | undefined;
  let isTaken = true;
  const open = (): Promise<Opened> => {
    isTaken = false;
    const own = identity();
    const how = { tls: { ca: authorities }, allowH2: true, connectTimeoutMs: 10_000 };
    opened = openTls(upstream, own, how, defaultClientParts).then((socket) => ({
      socket,
      exporter: exporterOf(socket),
      signer: signerOf(own),
    }));
    return opened;
  };
  const client = new Client(upstream.origin, {
    allowH2: true,
    connect(_options, callback) {
      const connection = opened === undefined || isTaken ? open() : opened;
      isTaken = true;
      const hand = async () => {
        try {
          callback(null, (await connection).socket);
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
    opened?.then(({ socket }) => socket.destroy()).catch(() => {});
  });
  return client.compose((dispatch) => (options, handler) => {
    const { method, path } = options;
    const send = (connection: Opened | undefined) => {
      const request = defaultClientParts.readFields(options.headers);
      const target = defaultClientParts.targetOf(upstream, path);
      const proof =
        connection === undefined || request.token === undefined
          ? undefined
          : createProof(connection.signer, {
              token: request.token,
              exporter: connection.exporter,
              issuedAt: Math.floor(Date.now() / 1000),
              ...(claims === 'request' && { request: { identifier: randomUUID(), method, target } }),
            });
      dispatch({ ...options, headers: defaultClientParts.withProof(request, proof) }, handler);
    };
    (opened ?? open()).then(send, () => send(undefined));
    return true;
  });
}

/** Tries the server's other address where a request failed, with the proof that was made for the first attempt. */
function atOtherAddress(): ClientVariant {
  const mark = 'x-attempts-of';
  const first = new Map<string, string>();
  let count = 0;
  return {
    ...withParts(() => ({
      withProof(request, proof) {
        const index = request.fields.indexOf(mark);
        const number = request.fields[index + 1] ?? '';
        const kept = first.get(number) ?? proof;
        if (kept !== undefined) first.set(number, kept);
        return defaultClientParts.withProof({ ...request, fields: request.fields.toSpliced(index, 2) }, kept);
      },
    })),
    dispatcher(client, surroundings) {
      const { upstream } = surroundings.settings;
      const origin = `https://127.0.0.1:${upstream.port}`;
      const twice = resending(
        () => undefined,
        ({ options, before }) =>
          before === 0 && options.method === 'GET' ? { ...options, origin } : undefined,
      )(client, surroundings);
      return twice.compose((dispatch) => (options, handler) => {
        count += 1;
        return dispatch({ ...options, headers: [...fieldsOf(options), mark, String(count)] }, handler);
      });
    },
  };
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
      proving((inner, { socket, policy }) => {
        let first: string | undefined;
        return socket?.alpnProtocol === 'h2' && policy.claims === 'connection'
          ? {
              proofFor: (request) => (first ??= inner.proofFor(request)),
              refused(token, proof) {
                first = undefined;
                inner.refused(token, proof);
              },
            }
          : {};
      }),
  },
  {
    id: 'M-CL-354',
    mistake: 'writes htm and htu of the first request into a proof that serves all requests of a connection',
    breaks: ['CL-REUSE-1'],
    variant: describingFirst,
  },
  {
    id: 'M-CL-198',
    mistake: 'tries the server’s other address where a request failed, with the proof of the first attempt',
    breaks: ['CL-EKM-5', 'CL-REUSE-3'],
    variant: atOtherAddress,
  },
];
