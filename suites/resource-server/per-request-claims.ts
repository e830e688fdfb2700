import { randomUUID } from 'node:crypto';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { combine } from '../../harness/scenario/request.ts';
import type { RequestPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';

/** draft -06 §2.3.2.2, §3.3.2 step 5i: htm and htu tie a proof to one request. */

const METHOD_IGNORED =
  'The htm claim is not compared with the method of this request, or not for every method. Compare it, case and all, with the method on the request line or in :method.';
const TARGET_IGNORED =
  'The htu claim is not compared with the target of the request, or only its beginning. Compare the whole path, without query and fragment.';
const ONLY_WHERE_TRUE =
  'An empty claim counts as one that is absent. Compare the claim whenever it is there.';
const WITH_THE_OTHERS =
  'The claim is looked at only where the proof has jti too. Each of the three is checked wherever it is present.';
const CONVERTED = 'The claim is converted to text, or its type is not looked at. Demand a JSON string.';
const AUTHORITY_IGNORED =
  'Only the path of an absolute htu is compared. Scheme, host and port count too: compare them with the server’s own.';

const ELSEWHERE = '/tsbt-elsewhere';

/** htm and htu for a request, and a jti that is fresh in every proof made from this plan. */
export function tied(stage: Stage, method = 'GET', path = stage.setting.target.protectedPath): RequestPlan {
  const { htm, htu } = stage.perRequest(method, path);
  return {
    proof: {
      claims: { htm, htu },
      payloadText: (right) => JSON.stringify({ ...JSON.parse(right), jti: randomUUID() }),
    },
  };
}

/** The same with this `htu`. */
function tiedTo(stage: Stage, target: string): RequestPlan {
  return combine(tied(stage), { proof: { claims: { htu: target } } });
}

function htm(what: string, value: unknown, cause?: string): Variation {
  return {
    what: `htm is ${what}`,
    change: { proof: { claims: { htm: value } } },
    ...(cause === undefined ? {} : { cause }),
  };
}

function htu(what: string, value: unknown, cause?: string): Variation {
  return {
    what: `htu is ${what}`,
    change: { proof: { claims: { htu: value } } },
    ...(cause === undefined ? {} : { cause }),
  };
}

/** The protected resource's URI, and the parts that it is made of. */
function uriOf(stage: Stage): {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly absolute: string;
} {
  const { hostname: host, port, protectedPath: path } = stage.setting.target;
  return { host, port, path, absolute: `https://${host}${port === 443 ? '' : `:${port}`}${path}` };
}

/** Values of htu for other paths of this server, in both forms (AMB-26). */
function otherPaths(stage: Stage): readonly Variation[] {
  const { path, absolute } = uriOf(stage);
  const origin = absolute.slice(0, absolute.length - path.length);
  const parent = path.slice(0, path.lastIndexOf('/')) || '/';
  const others = {
    'another path': ELSEWHERE,
    'a longer path': `${path}/admin`,
    'a path with further characters': `${path}s`,
    'the beginning of the path': path.slice(0, -1),
    'the parent path': parent,
    'a path whose dot segments lead elsewhere': `${path}/..${ELSEWHERE}`,
  };
  return Object.entries(others)
    .filter(([, other]) => other !== '' && other !== path)
    .flatMap(([what, other]) => [
      htu(`${what}, as a path`, other),
      htu(`${what}, as an absolute URI`, `${origin}${other}`),
    ]);
}

export const perRequestClaims = suite('resource-server', 'per-request-claims', [
  {
    id: 'RS-PL-10',
    title: 'compares htm with the method of the request',
    across: { http: AXES.http },
    cause: {
      served: METHOD_IGNORED,
      rejected:
        'htm is compared with something other than the method of the request, such as a fixed one. Compare it with the method on the request line or in :method.',
    },
    async run(stage) {
      await stage.refuses(
        refused('invalid_proof'),
        [
          htm('POST on a GET request', 'POST'),
          { what: 'htm is GET on a POST request', change: { method: 'POST' } },
          htm('HEAD on a GET request', 'HEAD'),
          htm('empty', '', ONLY_WHERE_TRUE),
          htm('true', true, CONVERTED),
          htm('an array with the right method', ['GET'], CONVERTED),
          {
            what: 'htm is the method that X-HTTP-Method-Override names',
            change: { fields: [['X-HTTP-Method-Override', 'POST']], proof: { claims: { htm: 'POST' } } },
            cause:
              'htm is compared with the method that a field of the request names. Compare it with the one on the request line or in :method.',
          },
        ],
        tied(stage),
      );
      await stage.control('a POST request', { method: 'POST' });
      await stage.accepts('a POST request with htm POST', { method: 'POST', ...tied(stage, 'POST') });
    },
  },
  {
    id: 'RS-PL-10.alone',
    title: 'compares htm where the proof has neither jti nor htu',
    cause: METHOD_IGNORED,
    async run(stage) {
      const base = { proof: { claims: { htm: 'GET' } } };
      const right = await stage.send('a proof with htm alone', base);
      if (!right.served) return stage.observe('a proof with htm but without jti and htu is refused (AMB-28)');
      await stage.refuses(
        refused('invalid_proof'),
        [htm('POST on a GET request', 'POST', WITH_THE_OTHERS)],
        base,
      );
    },
  },
  {
    id: 'RS-PL-10.letter-case',
    title: 'takes account of letter case in htm',
    cause: 'htm is compared without regard to case. Methods are case-sensitive (RFC 9110 §9.1).',
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [htm('in lower case', 'get')], tied(stage));
    },
  },
  {
    id: 'RS-PL-11',
    title: 'compares htu with the target of the request',
    across: { http: AXES.http },
    cause: TARGET_IGNORED,
    async run(stage) {
      const { path } = uriOf(stage);
      await stage.refuses(
        refused('invalid_proof'),
        [
          ...otherPaths(stage),
          { what: 'htu is the parent path of the request’s', change: { path: `${path}/below` } },
          htu('empty', '', ONLY_WHERE_TRUE),
          htu('a number', 42, CONVERTED),
          htu('an array with the right URI', [stage.perRequest().htu], CONVERTED),
        ],
        tied(stage),
      );
    },
  },
  {
    id: 'RS-PL-11.alone',
    title: 'compares htu where the proof has neither jti nor htm',
    cause: TARGET_IGNORED,
    async run(stage) {
      const base = { proof: { claims: { htu: stage.perRequest().htu } } };
      const right = await stage.send('a proof with htu alone', base);
      if (!right.served) return stage.observe('a proof with htu but without jti and htm is refused (AMB-28)');
      const other = stage.perRequest('GET', ELSEWHERE).htu;
      await stage.refuses(refused('invalid_proof'), [htu('another path', other, WITH_THE_OTHERS)], base);
    },
  },
  {
    id: 'RS-PL-12',
    title: 'takes htu as an absolute URI or as a path, and no URI of another origin',
    across: { http: AXES.http },
    cause: AUTHORITY_IGNORED,
    async run(stage) {
      const { host, port, path, absolute } = uriOf(stage);
      const form = async (what: string, value: string): Promise<boolean> =>
        (await stage.send(`htu is ${what}`, tiedTo(stage, value))).served;
      const taken = { absolute: await form('an absolute URI', absolute), path: await form('a path', path) };
      if (!taken.absolute && !taken.path) {
        return stage.holds(
          false,
          'htu is accepted neither as an absolute URI nor as a path',
          'The server compares htu with something else than its own URI, such as one with another scheme or host behind a proxy. Compare it with the URI that clients use.',
        );
      }
      stage.note(
        `htu is accepted ${[taken.absolute ? 'as an absolute URI' : '', taken.path ? 'as a path' : ''].filter(Boolean).join(' and ')} (AMB-26)`,
      );
      const otherPort = port === 8443 ? 8444 : 8443;
      await stage.refuses(
        refused('invalid_proof'),
        [
          htu('a URI of another host', absolute.replace(host, 'other.example')),
          htu('a URI of a host that begins like this one', absolute.replace(host, `${host}.other.example`)),
          htu('a URI of another port', `https://${host}:${otherPort}${path}`),
          htu(
            'a URI of another host with this one as its user name',
            `https://${host}:${port}@other.example${path}`,
          ),
          htu('a URI of the scheme http', absolute.replace('https:', 'http:')),
          htu('a URI without scheme, of another host', `//other.example${path}`),
        ],
        tied(stage),
      );
    },
  },
  {
    id: 'RS-PL-12.normalisation',
    title: 'takes nothing else for the target URI than what RFC 3986 makes equivalent',
    async run(stage) {
      const { host, port, path, absolute } = uriOf(stage);
      await stage.control('the right htu', tied(stage));
      const offer = (what: string, value: string) => stage.send(`htu ${what}`, tiedTo(stage, value));
      const first = path.charCodeAt(1).toString(16);
      const equivalent = {
        'with its host in capitals': absolute.replace(host, host.toUpperCase()),
        'with its scheme in capitals': absolute.replace('https', 'HTTPS'),
        'with a percent-encoded letter': absolute.slice(0, -path.length) + `/%${first}${path.slice(2)}`,
      };
      for (const [what, value] of Object.entries(equivalent)) {
        const { reading } = await offer(what, value);
        stage.note(`htu ${what}: ${reading.text}; either is conformant (AMB-27)`);
      }
      const different = {
        'with a trailing slash': `${absolute}/`,
        'with a user name': `https://alice@${host}:${port}${path}`,
        'with a path in capitals': absolute.slice(0, -path.length) + path.toUpperCase(),
      };
      for (const [what, value] of Object.entries(different)) {
        if (value !== absolute && (await offer(what, value)).served)
          stage.observe(`htu ${what} is accepted (AMB-27)`);
      }
    },
  },
  {
    id: 'RS-PL-13',
    title: 'leaves query and fragment out when it compares htu',
    across: { http: AXES.http },
    cause: {
      rejected:
        'htu is compared with the request target including its query. Cut the query off before comparing (draft -06 §2.3.2.2).',
    },
    async run(stage) {
      const { protectedPath } = stage.setting.target;
      const path = `${protectedPath}?a=1&b=%2Ftwo`;
      await stage.control('the right htu on a request without query', tied(stage));
      await stage.control('a request with a query, a proof without htu', { path });
      await stage.accepts('a request with a query, htu without it', { path, ...tied(stage) });
      for (const extra of ['?a=1&b=%2Ftwo', '?other', '#fragment']) {
        const { htu: right } = stage.perRequest();
        const { reading } = await stage.send(`htu ends in ${extra}`, {
          path,
          proof: { claims: { htu: right + extra } },
        });
        stage.note(`htu with ${extra}: ${reading.text}; either is conformant`);
      }
    },
  },
]);
