import type { HttpRequest } from '../resource-server/http-message.ts';
import { fieldValues, targetOf } from '../resource-server/http-message.ts';
import { socketOf } from './connections.ts';
import type { Mutant } from './mutant.ts';
import { PROOF_CHECKS, skipping } from './skipped-checks.ts';

/** What Node's type declarations leave out: the name that the client asked for in the handshake. */
interface NamedSocket {
  readonly servername?: string | false | null;
}

function serverNameOf(request: HttpRequest): string | undefined {
  const { servername }: NamedSocket = socketOf(request);
  return typeof servername === 'string' ? servername : undefined;
}

function hostOf(request: HttpRequest): string {
  return targetOf(request).authority ?? '';
}

function nameIn(host: string): string {
  return host.replace(/:[^:]*$/, '');
}

/** The name that the tests of this project and the suite call the server by. */
const OWN = 'localhost';

/** Mistakes in which the check hangs on a name of the host. */
export const hostNamesMutants: readonly Mutant[] = [
  {
    id: 'M-RS-570',
    mistake: 'demands the proof of requests for its own host name, and serves a trailing dot too',
    breaks: ['RS-FLD-12'],
    variant: () => skipping(PROOF_CHECKS, ({ request }) => nameIn(hostOf(request)).endsWith('.')),
  },
  {
    id: 'M-RS-571',
    mistake: 'compares the host with regard to letter case before it demands the proof',
    breaks: ['RS-FLD-12'],
    variant: () => skipping(PROOF_CHECKS, ({ request }) => hostOf(request) !== hostOf(request).toLowerCase()),
  },
  {
    id: 'M-RS-572',
    mistake: 'demands the proof where Host has its own port',
    breaks: ['RS-FLD-12'],
    variant: () =>
      skipping(
        PROOF_CHECKS,
        ({ request }) =>
          nameIn(hostOf(request)) === OWN && !hostOf(request).endsWith(`:${socketOf(request).localPort}`),
      ),
  },
  {
    id: 'M-RS-573',
    mistake: 'serves its resource under other host names too, by a virtual host that demands no proof',
    breaks: ['RS-FLD-12'],
    variant: () => skipping(PROOF_CHECKS, ({ request }) => /^[\w.]*example$/.test(hostOf(request))),
  },
  {
    id: 'M-RS-574',
    mistake: 'demands the proof where a request names its host',
    breaks: ['RS-FLD-12'],
    variant: () =>
      skipping(
        PROOF_CHECKS,
        ({ request }) => fieldValues(request, 'host').every((host) => host === '') && hostOf(request) === '',
      ),
  },
  {
    id: 'M-RS-575',
    mistake: 'demands the proof on connections whose server name it knows, letter by letter',
    breaks: ['RS-FLD-12'],
    variant: () =>
      skipping(PROOF_CHECKS, ({ request }) => {
        const name = serverNameOf(request);
        return name !== undefined && name !== OWN;
      }),
  },
  {
    id: 'M-RS-576',
    mistake: 'demands the proof on connections that name the server in the handshake',
    breaks: ['RS-FLD-12'],
    variant: () => skipping(PROOF_CHECKS, ({ request }) => serverNameOf(request) === undefined),
  },
  {
    id: 'M-RS-577',
    mistake: 'demands the proof where host and server name are not the same foreign name',
    breaks: ['RS-FLD-12'],
    variant: () =>
      skipping(PROOF_CHECKS, ({ request }) => {
        const name = serverNameOf(request);
        return name !== undefined && name !== OWN && name === nameIn(hostOf(request));
      }),
  },
];
