import type { HttpVersion } from '../../harness/wire/connection.ts';
import { ELSEWHERE } from './protected-content.ts';
import type { Detour, Detours } from './detours.ts';

/** Other spellings of a path, by the routers, filters and servers that read them as the path itself. */

/** Where a spelling comes from, and the address that it is written for. */
export interface SpelledTarget {
  readonly path: string;
  readonly hostname: string;
  readonly port: number;
}

const ONCE =
  'Take the target apart once, reject what is ambiguous with 400, and give filter and router the same result; better still, verify the proof around the handler, whatever led to it.';

/** Path prefixes that filters often exempt. */
const PUBLIC_PREFIXES = ['public', 'static', 'assets', 'health', 'login', '.well-known', 'favicon.ico'];
const STATIC_SUFFIXES = ['.css', '.js', '.png', '.html', '.xml', '.txt'];
/** Fields by which front ends pass the original target on. */
const REWRITES = [
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-Original-URI',
  'X-Forwarded-Uri',
  'X-Envoy-Original-Path',
];
const LONG = 4000;

function percent(text: string): string {
  return [...Buffer.from(text)].map((octet) => `%${octet.toString(16).padStart(2, '0')}`).join('');
}

/**
 * Every kind of spelling of the protected path.
 *
 * @param full whether to list them all instead of the telling ones of each kind
 */
export function spellings(
  { path, hostname, port }: SpelledTarget,
  http: HttpVersion,
  full: boolean,
): readonly Detours[] {
  const below = path.slice(1);
  const first = path.slice(1, 2);
  const rest = path.slice(2);
  const authority = port === 443 ? hostname : `${hostname}:${port}`;
  const kind = (
    what: string,
    reader: string,
    telling: readonly string[],
    exhaustive: readonly string[] = [],
  ): Detours => ({
    kind: what,
    cause: `${reader} ${ONCE}`,
    ways: [...new Set([...telling, ...(full ? exhaustive : [])])]
      .filter((target) => target !== path)
      .map((target): Detour => ({ what: shown(target), plan: { path: target } })),
  });
  const named = path.length > 1;
  return [
    kind(
      'a path parameter',
      'The router drops what follows a semicolon, as servlet containers do, and the filter that demands the proof compares the path with it.',
      [`${path};v=1`, `/;a${path}`],
      [`${path};`, `${path};jsessionid=1`, `${path};a=1;b=2`, `${path}/;v=1`, `/..;${path}`, `/x/..;${path}`],
    ),
    kind(
      'dot segments',
      'The router resolves dot segments, and the filter that demands the proof compares the path before that (RFC 3986 §6.2.2.3).',
      [`${path}/..${path}`, `/x/..${path}`, `/public/..${path}`],
      [
        `/.${path}`,
        `/./.${path}`,
        `/..${path}`,
        `/x/y/../..${path}`,
        `${path}/x/..`,
        `${path}/.`,
        ...PUBLIC_PREFIXES.map((prefix) => `/${prefix}/..${path}`),
      ],
    ),
    kind(
      'percent-encoded dots',
      'The router decodes dots and resolves dot segments, and the filter that demands the proof compares the path before that.',
      [`/x/%2e%2e${path}`],
      [
        `/%2e${path}`,
        `/x/%2E%2E${path}`,
        `/x/.%2e${path}`,
        `/x/%252e%252e${path}`,
        `/public/%2e%2e${path}`,
        `/x/%c0%ae%c0%ae${path}`,
      ],
    ),
    kind(
      'percent-encoded slashes',
      'The router decodes slashes, and the filter that demands the proof compares the path before that.',
      [`/x%2f..${path}`, `/%2f${below}`],
      [
        `/x/..%2f${below}`,
        `/x%2f..%2f${below}`,
        `/x%2F..%2F${below}`,
        `/.%2f${below}`,
        `${path}%2f`,
        `/x%252f..%252f${below}`,
        `/%c0%af${below}`,
        `/%ef%bc%8f${below}`,
      ],
    ),
    ...(named
      ? [
          kind(
            'percent-encoded letters',
            'The router decodes the path, and the filter that demands the proof compares it before that (RFC 3986 §6.2.2.2).',
            [`/${percent(first)}${rest}`, `/${percent(`%`)}${percent(first).slice(1)}${rest}`],
            [
              `/${percent(below)}`,
              `${path.slice(0, -1)}${percent(path.slice(-1)).toUpperCase()}`,
              `/%u00${percent(first).slice(1)}${rest}`,
            ],
          ),
          kind(
            'other letter case',
            'The router compares paths without regard to letter case, and the filter that demands the proof with it.',
            [path.toUpperCase()],
            [`/${first.toUpperCase()}${rest}`, path.replaceAll('s', '%c5%bf').replaceAll('k', '%e2%84%aa')],
          ),
        ]
      : []),
    kind(
      'doubled slashes',
      'The router collapses slashes, and the filter that demands the proof compares the path before that.',
      [`/${path}`, `${path}//`],
      [`//${path}`, `/.//${below}`, `/x/..//${below}`],
    ),
    kind(
      'a backslash',
      'The router reads a backslash as a slash, as parsers of URLs for browsers do, and the filter that demands the proof does not.',
      [`/\\${below}`, `/x\\..${path}`],
      [`/x/..\\${below}`, `/x%5c..%5c${below}`, `/%5c${below}`, `${path}\\`],
    ),
    kind(
      'a suffix',
      'The router cuts a suffix off, as for content negotiation, and the filter that demands the proof compares the path with it.',
      [`${path}.json`, `${path}.`],
      [
        ...STATIC_SUFFIXES.map((suffix) => `${path}${suffix}`),
        `${path}/.json`,
        `${path}.json/`,
        `${path}..`,
        `${path}~`,
      ],
    ),
    kind(
      'what looks like a static file',
      'The filter lets pass what ends like a static file, wherever in the target that stands.',
      [`${path}?x=.css`, `${path}/x.css`],
      [
        ...STATIC_SUFFIXES.map((suffix) => `${path}?x${suffix}`),
        `${path}/x.js`,
        `${path};x.css`,
        `${path}%3fx.css`,
        `${path}%00.css`,
        `${path}?/public/`,
        `${path}?/../login`,
      ],
    ),
    kind(
      'other characters at the end',
      'The router cuts characters off the end of the path, and the filter that demands the proof compares the path with them.',
      [`${path}/`, `${path}%20`, `${path}%00`, `${path}?`, `${path}#`],
      [
        `${path}/?`,
        `${path}#x`,
        `${path}%23`,
        `${path}%3f`,
        `${path}%09`,
        `${path}%0a`,
        `${path}%0d%0a`,
        `${path}/%20`,
        `%20${path}`,
        `${path}&`,
        `${path}:`,
      ],
    ),
    kind(
      'a very long target',
      'The filter gives up on a long target, or looks at its beginning only, and lets it pass.',
      [`${'/.'.repeat(LONG / 2)}${path}`, `${path}?${'a'.repeat(LONG)}`],
      [
        `${path}/${'a'.repeat(LONG)}`,
        `${path}${'/.'.repeat(LONG / 2)}`,
        `/${'x'.repeat(LONG)}/..${path}`,
        `${path}?${'a'.repeat(3 * LONG)}`,
      ],
    ),
    ...(http === 'http/1.1'
      ? [
          kind(
            'a target in absolute form',
            'The filter that demands the proof takes the target for a path, or counts those of its own scheme and host only (RFC 9112 §3.2.2).',
            [`https://${authority}${path}`, `http://${hostname}${path}`],
            [
              `HTTPS://${authority.toUpperCase()}${path}`,
              `https://other.example${path}`,
              `https://tsbt@${authority}${path}`,
              `https://${authority}/${path}`,
              `https://${authority}/x/..${path}`,
              `//${authority}${path}`,
              `https:${path}`,
              `ws://${authority}${path}`,
            ],
          ),
        ]
      : []),
    ...(http === 'http/1.1' && full
      ? [
          kind(
            'control characters',
            'A control character in the target ends it for the router, and not for the filter.',
            [`${path}\t`, `${path}\0`, `${path}\0.css`, `\t${path}`, `${path}\x0b`, below],
          ),
        ]
      : []),
    ...rewritten(path, full),
  ];
}

/** Targets that a field names: the router follows it and the filter does not, or the other way about. */
function rewritten(path: string, full: boolean): readonly Detours[] {
  const names = full ? REWRITES : REWRITES.slice(0, 2);
  return [
    {
      kind: 'the path in a field',
      cause: `The router follows a field by which a front end tells the original target, and the client can write that field itself. Drop it from every request, or verify the proof after it was followed. ${ONCE}`,
      ways: names.map((name) => ({
        what: `${name} on ${ELSEWHERE}`,
        plan: { path: ELSEWHERE, fields: [[name, path]] },
      })),
    },
    {
      kind: 'another path in a field',
      cause: `The filter that demands the proof follows a field by which a front end tells the original target, and the client can write that field itself. Drop it from every request. ${ONCE}`,
      ways: names.flatMap((name) =>
        (full ? ['public', 'health'] : ['public']).map((prefix) => ({
          what: `${name}: /${prefix}`,
          plan: { path, fields: [[name, `/${prefix}`]] },
        })),
      ),
    },
  ];
}

/** A target for the report: short, and with control characters made visible. */
function shown(target: string): string {
  const text = target.length > 100 ? `${target.slice(0, 30)}… (${target.length} characters)` : target;
  return JSON.stringify(text).slice(1, -1).replaceAll('\\\\', '\\');
}
