import type { Token } from '../../harness/forge/token.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES, EVERY_TRANSPORT } from '../../harness/scenario/permutation.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { RequestPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection, WireResponse } from '../../harness/wire/connection.ts';
import { WRONG_DERIVATIONS } from '../../harness/wire/wrong-derivations.ts';
import type { DerivationSurroundings } from '../../harness/wire/wrong-derivations.ts';
import { CERTIFICATE_BOUND } from './confirmed-tokens.ts';
import { answered } from './token-expiry.ts';

/** draft -06 §2.2: the exporter value that a proof is bound to. */

const NOT_COMPARED =
  'The ekm claim is not compared with the exporter value of the connection that carries the request, or not as a whole. Export 32 octets for each connection and compare all of them.';

const NEITHER_FORM =
  'On TLS 1.2 another value is compared than the exporter gives with the registered label and 32 octets, with an empty context or without one: it may be exported before the handshake is complete, once for several connections, or not at all. Export it from the connection that carries the request.';

const CIPHER_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** A variation whose ekm is worked out for the connection it is sent on. */
function ekm(what: string, value: (connection: Connection) => unknown, cause = NOT_COMPARED): Variation {
  return { what, change: { proof: { ekm: value } }, cause };
}

/** Variations for the known wrong derivations of these ids, where they can be made on this transport. */
async function derivations(stage: Stage, ids: readonly string[]): Promise<readonly Variation[]> {
  const previous = await stage.connect();
  const surroundings = (token: string): DerivationSurroundings => ({
    token,
    host: stage.setting.target.hostname,
    thumbprint: stage.alice.thumbprint,
    previous,
  });
  return ids.flatMap((id) => {
    const one = WRONG_DERIVATIONS.find((derivation) => derivation.id === id);
    if (one === undefined) throw new Error(`there is no derivation ${id}`);
    if (!one.applies(previous, surroundings(''))) return [];
    return [
      {
        what: `ekm is ${one.label}`,
        change: {
          proof: {
            ekm: (connection: Connection, token: Token) => one.value(connection, surroundings(token.compact)),
          },
        },
        cause: `The target takes ${one.label} for the exporter value. ${one.cure}`,
      },
    ];
  });
}

/**
 * Goes on only where nothing but the exporter value can be the reason for a refusal on TLS 1.2: a token that needs no proof
 * is served there, or on no version.
 */
async function otherwiseServed(stage: Stage): Promise<void> {
  if (!stage.setting.target.capabilities.has('tls1.3')) return;
  const plain: RequestPlan = { token: CERTIFICATE_BOUND, proof: null };
  const here = await stage.send('a certificate-bound token (RFC 8705) on TLS 1.2', plain);
  if (here.served) return;
  const there = await stage.send('the same on TLS 1.3', plain, { connect: { tls: 'TLSv1.3' } });
  if (there.served)
    stage.inconclusive(
      `nothing is served on TLS 1.2, not even a token that needs no proof (${here.reading.text}), so this is not about the exporter value; see RS-TLS-1`,
      'target',
    );
}

/** Another value, which ends in a zero octet: one value in 256 does so itself. */
function withLastZeroed(value: Buffer): Buffer {
  const changed = Buffer.from(value);
  const last = changed.findLastIndex((octet) => octet !== 0);
  if (last >= 0) changed[last] = 0;
  return changed;
}

export const exporter = suite('resource-server', 'exporter', [
  {
    id: 'RS-EKM-1',
    title:
      'derives the exporter value with the registered label, an empty context and 32 octets, under every cipher suite',
    across: { tls: ['TLSv1.3'], http: AXES.http },
    judgesControl: true,
    cause: NOT_COMPARED,
    async run(stage) {
      if (!(await stage.accepts('the right request')).served) return;
      for (const ciphers of CIPHER_SUITES) {
        const connection = await stage.tryConnect({ ciphers });
        if ('kind' in connection) stage.note(`${ciphers} is not offered by the target: ${connection.detail}`);
        else
          await stage.accepts(
            `the right request under ${ciphers}`,
            {},
            { on: connection },
            'The length or hash of the exporter depends on the cipher suite. Ask for 32 octets whatever the suite.',
          );
      }
      await stage.refuses(refused('invalid_proof'), [
        ...(await derivations(stage, [
          'label-rfc9266',
          'label-predecessor',
          'label-token-binding',
          'label-without-prefix',
          'label-trailing-nul',
          'label-lower-case',
          'label-upper-case',
        ])),
        ekm('ekm is 32 random octets', () => Buffer.alloc(32, 7).toString('base64url')),
      ]);
    },
  },
  {
    id: 'RS-EKM-2',
    title: 'compares all 32 octets of the exporter value and nothing else',
    across: EVERY_TRANSPORT,
    cause: NOT_COMPARED,
    async run(stage) {
      await stage.refuses(refused('invalid_proof'), [
        ekm('ekm is the first 16 octets of the right value', (c) =>
          right(c).subarray(0, 16).toString('base64url'),
        ),
        ekm('ekm is the first 31 octets of the right value', (c) =>
          right(c).subarray(0, 31).toString('base64url'),
        ),
        ekm('ekm is the right value, but with zero for its last octet that is not zero', (c) =>
          withLastZeroed(right(c)).toString('base64url'),
        ),
        ekm('ekm is the first 4 octets of the right value and zero octets', (c) =>
          Buffer.concat([right(c).subarray(0, 4), Buffer.alloc(28)]).toString('base64url'),
        ),
        ekm('ekm is the right value and one octet more', (c) =>
          Buffer.concat([right(c), Buffer.alloc(1)]).toString('base64url'),
        ),
        ekm('ekm is the right value and 16 octets more', (c) =>
          Buffer.concat([right(c), Buffer.alloc(16, 9)]).toString('base64url'),
        ),
        ekm('ekm is an export of 64 octets', (c) => c.exporter({ length: 64 }).toString('base64url')),
        ekm('ekm is the right value with its last bit flipped', (c) =>
          flipLast(right(c)).toString('base64url'),
        ),
        ekm('ekm is the right value with its first bit flipped', (c) =>
          flipFirst(right(c)).toString('base64url'),
        ),
        ekm('ekm is empty', () => ''),
      ]);
    },
  },
  {
    id: 'RS-EKM-3',
    title: 'uses an empty exporter context',
    across: { tls: ['TLSv1.3'], http: AXES.http },
    cause: NOT_COMPARED,
    async run(stage) {
      await stage.refuses(
        refused('invalid_proof'),
        await derivations(stage, [
          'context-nul',
          'context-token-hash',
          'context-token',
          'context-thumbprint',
          'context-host',
        ]),
      );
    },
  },
  {
    id: 'RS-EKM-4',
    title: 'accepts on TLS 1.2 exactly one of the two forms of an empty context, and always the same one',
    across: { tls: ['TLSv1.2'], http: AXES.http },
    judgesControl: true,
    cause: { rejected: NEITHER_FORM },
    async run(stage) {
      const forms = [
        { name: 'zero-length context', context: new Uint8Array() },
        { name: 'no context', context: null },
      ];
      const rounds: string[] = [];
      let last: Exchange | undefined;
      for (let round = 0; round < 2; round++) {
        const taken: string[] = [];
        for (const { name, context } of forms) {
          const exchange = answered(
            stage,
            await stage.send(`a proof with the form with ${name}`, {
              proof: { ekm: (c) => c.exporter({ context }).toString('base64url') },
            }),
          );
          if (exchange.served) taken.push(name);
          last = exchange;
        }
        rounds.push(taken.join(' and '));
      }
      const [first = '', again = ''] = rounds;
      if (first !== again) {
        const what = `the form that is accepted changes between requests: ${first || 'none'}, then ${again || 'none'}`;
        if (last !== undefined) await stage.blames(what, last);
        stage.holds(
          false,
          what,
          'The exporter is called with a zero-length context here and without a context there. Decide on one form.',
        );
      } else if (first === '') {
        await otherwiseServed(stage);
        stage.unserved('on TLS 1.2 neither form of the exporter value is accepted', { kind: 'refused' });
      } else if (first.includes(' and '))
        stage.observe('both forms of the exporter value are accepted on TLS 1.2 (AMB-01)');
      else stage.note(`on TLS 1.2 the target uses the form with ${first} (AMB-01)`);
    },
  },
  {
    id: 'RS-EKM-5',
    title: 'refuses a proof that was made for another live connection',
    across: EVERY_TRANSPORT,
    async run(stage) {
      const crowd = await Promise.all(Array.from({ length: 4 }, () => stage.connect()));
      for (const connection of crowd)
        await stage.control(`the right request on ${connection.id}`, {}, { on: connection });
      await stage.refuses(
        refused('invalid_proof'),
        crowd.map((elsewhere) => ({
          what: `ekm is the exporter value of ${elsewhere.id}, another connection of the same client`,
          change: { proof: { forConnection: elsewhere } },
          cause:
            'The ekm claim is compared with the value of another connection: exported once per process or listener, or taken from a store that is not keyed by the connection. Export from the connection that carries the request.',
        })),
      );
    },
  },
  {
    id: 'RS-EKM-12',
    title:
      'accepts no other identifier of the connection, and no other encoding, in place of the exporter value',
    across: EVERY_TRANSPORT,
    cause: NOT_COMPARED,
    async run(stage) {
      await stage.refuses(
        refused('invalid_proof'),
        await derivations(stage, [
          'tls-unique',
          'tls-server-end-point',
          'client-random',
          'session-id',
          'hex',
          'hex-upper-case',
          'base64url-of-hex',
          'sha256',
        ]),
      );
    },
  },
  {
    id: 'RS-EKM-15',
    title: 'serves the same token with a fresh proof on every connection of the same client',
    across: { http: AXES.http },
    judgesSequence: true,
    cause: {
      rejected:
        'The token is tied to the first connection that it was used on. What ties a token to a connection is the proof: a new one on each connection.',
    },
    async run(stage) {
      const token = await stage.mint();
      const [first, second] = [await stage.connect(), await stage.connect()];
      await stage.control('the token on a first connection', { token }, { on: first });
      await stage.accepts(
        'the same token with a fresh proof on a second connection',
        { token },
        { on: second },
      );
      if (first.open)
        await stage.accepts('the same token on the first connection again', { token }, { on: first });
      await first.close();
      await stage.accepts(
        'the same token with a fresh proof on a third connection, after the first was closed',
        { token },
        { on: await stage.connect() },
      );
    },
  },
  {
    id: 'RS-EKM-16',
    title: 'never tells the exporter value that it expects',
    across: { tls: AXES.tls },
    cause:
      'The value that the proof was compared with is quoted in the response. Say that ekm is wrong, not what would have been right.',
    async run(stage) {
      const connection = await stage.connect();
      await stage.control('the right request', {}, { on: connection });
      const wrong = Buffer.alloc(32, 7).toString('base64url');
      const refusals: readonly (readonly [string, RequestPlan])[] = [
        ['a proof with a wrong ekm', { proof: { claims: { ekm: wrong } } }],
        ['a proof without ekm', { proof: { claims: { ekm: undefined } } }],
        ['a proof whose ekm is too short', { proof: { claims: { ekm: wrong.slice(0, 20) } } }],
        ['no proof', { proof: null }],
      ];
      let answeredOtherwise = 0;
      for (const [what, plan] of refusals) {
        const {
          outcome,
          served,
          connection: used,
        } = await stage.send(what, plan, connection.open ? { on: connection } : {});
        if (!served) answeredOtherwise++;
        const told =
          outcome.type === 'response' &&
          spellings(used).some((spelling) => textOf(outcome).includes(spelling));
        stage.holds(!told, `the response to ${what} tells the exporter value of the connection`);
      }
      if (answeredOtherwise === 0)
        stage.inconclusive(
          'nothing was refused, so there was no refusal that could tell: see RS-EKM-1',
          'target',
        );
    },
  },
]);

/** The texts by which a response would tell the exporter value, or its first 8 octets: base64, base64url, hexadecimal, decimal. */
function spellings(connection: Connection): readonly string[] {
  return [connection.exporter(), connection.exporter({ context: null })].flatMap((value) => {
    const start = value.subarray(0, 8);
    const base64 = start.toString('base64').slice(0, 10);
    return [
      base64,
      base64.replaceAll('+', '-').replaceAll('/', '_'),
      start.toString('hex'),
      start.toString('hex').toUpperCase(),
      start.join(','),
      start.join(', '),
    ];
  });
}

function textOf(response: WireResponse): string {
  return [...response.fields.map(([, value]) => value), response.body.toString('latin1')].join('\n');
}

function right(connection: Connection): Buffer {
  return connection.exporter();
}

function flipLast(value: Buffer): Buffer {
  const copy = Buffer.from(value);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}

function flipFirst(value: Buffer): Buffer {
  const copy = Buffer.from(value);
  copy[0] = (copy[0] ?? 0) ^ 0x80;
  return copy;
}
