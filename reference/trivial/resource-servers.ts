import { createHash } from 'node:crypto';
import type { HttpRequest, HttpResponse } from '../resource-server/http-message.ts';
import type { RequestListener } from '../resource-server/protect.ts';
import { discardBody } from '../resource-server/request-body.ts';
import { createServer, listen, tlsOptionsFor } from '../resource-server/server.ts';
import { readSettings } from '../resource-server/settings.ts';
import type { TrivialTarget } from './target.ts';

interface Fixed {
  readonly status: number;
  readonly body: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** As JSON with `sub` and `count`, so that what the capabilities promise of an answer can be read in it. */
const CONTENT = { status: 200, body: '{"sub":"alice","count":0}' };
const challenge = (parameters: string) => ({ 'WWW-Authenticate': `Bearer realm="trivial"${parameters}` });
const INVALID_PROOF = {
  status: 401,
  body: 'invalid_proof',
  fields: challenge(', error="invalid_proof"'),
};

const BY_CHANCE: readonly Fixed[] = [
  INVALID_PROOF,
  { ...INVALID_PROOF, fields: challenge(', error="use_session_binding"') },
  { ...INVALID_PROOF, fields: challenge(', error="invalid_token"') },
  { status: 404, body: 'not found' },
];

function send(response: HttpResponse, { status, body, fields = {} }: Fixed): void {
  if (response.destroyed || ('stream' in response && response.stream.destroyed)) return;
  response.statusCode = status;
  for (const [name, value] of Object.entries({ 'Content-Type': 'application/json', ...fields }))
    response.setHeader(name, value);
  response.end(body);
}

/** The same for every request, whatever it says and whether or not it has a body. */
function always(fixed: Fixed): RequestListener {
  return (request, response) => {
    discardBody(request);
    send(response, fixed);
  };
}

const withoutPort = (text: string): string => text.replace(/:\d+(?=[/?]|$)/, '');

/**
 * As good as chance, and the same in every run: what it does follows from method and path, and from the length of each
 * field and of the query. Ports, tokens and proofs are others in each run.
 *
 * @param served of 256 requests
 */
function byChance(seed: string, served: number): RequestListener {
  return (request, response) => {
    discardBody(request);
    const [path = '', query = ''] = withoutPort(request.url ?? '').split('?');
    const lengths = [query, ...request.rawHeaders].map((text) => withoutPort(text).length).join();
    const [dice = 0, refusal = 0] = createHash('sha256')
      .update(`${seed} ${request.method} ${path} ${lengths}`)
      .digest();
    send(response, dice < served ? CONTENT : (BY_CHANCE[refusal % BY_CHANCE.length] ?? INVALID_PROOF));
  };
}

/** Looks whether token and proof are there, and at nothing in them. */
function anyProof(request: HttpRequest, response: HttpResponse): void {
  discardBody(request);
  const { authorization, 'session-binding-proof': proof } = request.headers;
  if (authorization === undefined) send(response, { ...INVALID_PROOF, fields: challenge('') });
  else if (proof === undefined)
    send(response, { ...INVALID_PROOF, fields: challenge(', error="use_session_binding"') });
  else send(response, CONTENT);
}

/** Says back what it was sent: the fields and the body of the request. */
function echo(request: HttpRequest, response: HttpResponse): void {
  const chunks: Buffer[] = [];
  request.on('error', () => {});
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () =>
    send(response, {
      status: 200,
      body: JSON.stringify({ fields: request.rawHeaders, body: Buffer.concat(chunks).toString('latin1') }),
    }),
  );
}

/** Ends the connection instead of an answer. */
function hangUp(request: HttpRequest): void {
  if ('stream' in request) request.stream.session?.destroy();
  else request.socket.destroy();
}

interface Behavior {
  readonly id: string;
  readonly does: string;
  readonly listener: RequestListener;
  readonly acceptsConnection?: () => boolean;
}

const BEHAVIORS: readonly Behavior[] = [
  { id: 'T-RS-all-200', does: 'answers everything with 200 and the same content', listener: always(CONTENT) },
  {
    id: 'T-RS-all-401',
    does: 'answers everything with 401, without a challenge',
    listener: always({ status: 401, body: 'unauthorized' }),
  },
  {
    id: 'T-RS-all-401-bearer',
    does: 'answers everything with 401 and a Bearer challenge without an error code',
    listener: always({ status: 401, body: 'unauthorized', fields: challenge('') }),
  },
  {
    id: 'T-RS-all-invalid-proof',
    does: 'answers everything with 401 invalid_proof',
    listener: always(INVALID_PROOF),
  },
  {
    id: 'T-RS-all-invalid-token',
    does: 'answers everything with 401 invalid_token',
    listener: always({ ...INVALID_PROOF, fields: challenge(', error="invalid_token"') }),
  },
  {
    id: 'T-RS-all-use-session-binding',
    does: 'answers everything with 401 use_session_binding',
    listener: always({ ...INVALID_PROOF, fields: challenge(', error="use_session_binding"') }),
  },
  {
    id: 'T-RS-all-403',
    does: 'answers everything with 403 insufficient_scope',
    listener: always({ ...INVALID_PROOF, status: 403, fields: challenge(', error="insufficient_scope"') }),
  },
  { id: 'T-RS-all-404', does: 'answers everything with 404', listener: always({ status: 404, body: '' }) },
  {
    id: 'T-RS-all-500',
    does: 'answers everything with 500',
    listener: always({ status: 500, body: 'broken' }),
  },
  {
    id: 'T-RS-any-proof',
    does: 'answers 200 to whatever has the two fields, and demands them of the rest',
    listener: anyProof,
  },
  {
    id: 'T-RS-chance-1',
    does: 'answers as if by chance with 200, 401 or 404',
    listener: byChance('b', 128),
  },
  {
    id: 'T-RS-chance-2',
    does: 'answers as if by chance with 200, 401 or 404, otherwise than T-RS-chance-1',
    listener: byChance('c', 128),
  },
  { id: 'T-RS-echo', does: 'answers everything with 200 and what the request said', listener: echo },
  { id: 'T-RS-hangs-up', does: 'ends the connection instead of an answer', listener: hangUp },
  {
    id: 'T-RS-closes',
    does: 'ends each connection as soon as its handshake is done',
    listener: hangUp,
    acceptsConnection: () => false,
  },
];

function behaving(
  role: 'resource-server' | 'intermediary',
  { id, does, listener, acceptsConnection = () => true }: Behavior,
): TrivialTarget {
  return {
    id,
    role,
    does,
    async start(environment) {
      const { host, port, tls } = readSettings(environment, role);
      return listen(createServer({ listener, tls: tlsOptionsFor(tls), acceptsConnection }), host, port);
    },
  };
}

/** Resource servers that check nothing. */
export const TRIVIAL_RESOURCE_SERVERS: readonly TrivialTarget[] = BEHAVIORS.map((behavior) =>
  behaving('resource-server', behavior),
);

/** Intermediaries that ask nobody. */
export const TRIVIAL_INTERMEDIARIES: readonly TrivialTarget[] = [
  behaving('intermediary', {
    id: 'T-IM-all-200',
    does: 'answers everything with 200 itself',
    listener: always(CONTENT),
  }),
  behaving('intermediary', {
    id: 'T-IM-all-401',
    does: 'answers everything with 401 invalid_proof itself',
    listener: always(INVALID_PROOF),
  }),
];
