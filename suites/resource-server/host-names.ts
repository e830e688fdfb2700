import type { HttpVersion } from '../../harness/wire/connection.ts';
import type { Detour, Detours } from './detours.ts';

/** Other names of the same server, in Host and in the handshake (RFC 9110 §7.2, RFC 6066 §3). */

interface Address {
  readonly hostname: string;
  readonly port: number;
}

const ANY_NAME =
  'Verify the proof whatever name the request came under, and answer 421 or 400 to names that are not the server’s own.';
const FOREIGN = 'other.example';

/** Hosts that a virtual-host table may not know, and a default host serves. */
export function hostNames({ hostname, port }: Address, http: HttpVersion, full: boolean): readonly Detours[] {
  const kind = (
    what: string,
    reader: string,
    telling: readonly string[],
    exhaustive: readonly string[] = [],
  ): Detours => ({
    kind: what,
    cause: `${reader} ${ANY_NAME}`,
    ways: [...telling, ...(full ? exhaustive : [])].map((authority): Detour => ({
      what: authority === '' ? 'no name at all' : authority,
      plan: { authority },
    })),
  });
  const absent: readonly Detours[] =
    http === 'h2'
      ? []
      : [
          {
            kind: 'no single Host',
            cause: `The proof is demanded of requests that name one host. ${ANY_NAME}`,
            ways: [
              { what: 'HTTP/1.0 with an empty Host', plan: { version: 'HTTP/1.0', authority: '' } },
              ...(full
                ? [
                    { what: 'an empty Host', plan: { authority: '' } },
                    {
                      what: 'two Hosts',
                      plan: {
                        fields: [
                          ['Host', `${hostname}:${port}`],
                          ['Host', FOREIGN],
                        ] as const,
                      },
                    },
                    {
                      what: 'two Hosts, the own one last',
                      plan: {
                        fields: [
                          ['Host', FOREIGN],
                          ['Host', `${hostname}:${port}`],
                        ] as const,
                      },
                    },
                  ]
                : []),
            ],
          },
        ];
  return [
    kind(
      'a Host with a trailing dot',
      'The host is compared with its name without the dot that ends a full domain name.',
      [`${hostname}.:${port}`],
      [`${hostname}.`, `${hostname}..:${port}`],
    ),
    kind(
      'a Host in other letter case',
      'Host names are compared with regard to letter case (RFC 9110 §4.2.3).',
      [`${hostname.toUpperCase()}:${port}`],
    ),
    kind(
      'a Host with another port, or none',
      'The proof is demanded under the name with its port only.',
      [hostname, `${hostname}:443`],
      [`${hostname}:`, `${hostname}:0${port}`, `${hostname}:80`, `${hostname}:x`],
    ),
    kind(
      'another Host',
      'The proof is demanded under one host name, and a default host serves the same resource.',
      [FOREIGN],
      [
        `127.0.0.1:${port}`,
        `[::1]:${port}`,
        'localhost',
        `tsbt@${hostname}:${port}`,
        `${hostname}:${port}@${FOREIGN}`,
        `${hostname}.${FOREIGN}`,
        `${hostname}:${port}, ${FOREIGN}`,
        'internal',
      ],
    ),
    ...absent,
  ];
}

/** Names in the handshake, alone and together with the same in Host. */
export function serverNames({ hostname, port }: Address, full: boolean): readonly Detours[] {
  const named = (what: string, servername: string | null, authority?: string): Detour => ({
    what,
    connect: { servername, serverAuthorities: null },
    ...(authority === undefined ? {} : { plan: { authority } }),
  });
  const kind = (what: string, reader: string, ...ways: readonly Detour[]): Detours => ({
    kind: what,
    cause: `${reader} ${ANY_NAME}`,
    ways,
  });
  return [
    kind(
      'no server name in the handshake',
      'The proof is demanded on connections that name the server in the handshake, and others reach a default host with the same resource.',
      named('with the usual Host', null),
      ...(full ? [named('with another Host', null, FOREIGN)] : []),
    ),
    kind(
      'another server name in the handshake',
      'The proof is demanded under one server name, and a default host serves the same resource.',
      named('with the usual Host', FOREIGN),
      named('with that name in Host', FOREIGN, FOREIGN),
      ...(full ? [named('with a further name in Host', FOREIGN, 'third.example')] : []),
    ),
    kind(
      'the server name with a trailing dot',
      'The server name is compared with its name without the dot that ends a full domain name.',
      named('with the usual Host', `${hostname}.`),
      ...(full ? [named('with the same in Host', `${hostname}.`, `${hostname}.:${port}`)] : []),
    ),
    ...(full
      ? [
          kind(
            'the server name in other letter case',
            'Server names are compared with regard to letter case (RFC 6066 §3).',
            named('with the usual Host', hostname.toUpperCase()),
            named('with the same in Host', hostname.toUpperCase(), `${hostname.toUpperCase()}:${port}`),
          ),
          kind(
            'the right server name, and another Host',
            'The proof is demanded where server name and Host agree only.',
            named('with another Host', hostname, FOREIGN),
          ),
        ]
      : []),
  ];
}
