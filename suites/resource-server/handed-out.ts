import type { Exchange } from '../../harness/scenario/play.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import type { Field } from '../../harness/wire/connection.ts';

/** What a response hands out that a client could bring back, such as the key of a session. */

/** Something handed out, and one way to bring it back. */
export interface Returned {
  /** What it is and how it comes back, in words. */
  readonly what: string;
  readonly kind: 'cookie' | 'field' | 'member';
  /** The request that brings it back, beyond what it has otherwise. */
  readonly plan: RequestPlan;
  /** Set where it takes the place of the access token. */
  readonly asToken?: true;
}

/** Fields that describe the response or the connection, and are no use to bring back. */
const DESCRIPTIVE = new Set([
  'set-cookie',
  'date',
  'server',
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'cache-control',
  'expires',
  'vary',
  'etag',
  'last-modified',
  'accept-ranges',
  'alt-svc',
  'strict-transport-security',
  'x-content-type-options',
  'www-authenticate',
  'dpop-nonce',
]);

/** Shorter values identify no session. */
const LEAST = 6;
/** More than this many of a kind are not tried. */
const MOST = 12;

/**
 * Everything that these responses handed out, each with the ways to bring it back.
 *
 * @param known texts that the client had before, such as the token's claims: those were not handed out
 */
export function handedOut(exchanges: readonly Exchange[], known: string): readonly Returned[] {
  const returned = new Map<string, Returned>();
  const add = (one: Returned): void => {
    returned.set(one.what, one);
  };
  for (const { outcome } of exchanges) {
    if (outcome.type !== 'response') continue;
    const cookies: string[] = [];
    for (const [name, value] of outcome.fields) {
      const lower = name.toLowerCase();
      if (lower === 'set-cookie') cookies.push(value.split(';')[0]?.trim() ?? '');
      else if (!DESCRIPTIVE.has(lower) && isKey(value, known))
        for (const one of ofField(name, value)) add(one);
    }
    for (const pair of cookies) add(cookie(pair));
    if (cookies.length > 1) add(cookie(cookies.join('; ')));
    for (const [name, value] of members(outcome.body))
      if (isKey(value, known)) for (const one of ofMember(name, value)) add(one);
  }
  const all = [...returned.values()];
  return (['cookie', 'field', 'member'] as const).flatMap((kind) =>
    all.filter((one) => one.kind === kind).slice(0, MOST),
  );
}

function isKey(value: string, known: string): boolean {
  return value.length >= LEAST && !known.includes(value) && !/[^\x20-\x7e]/.test(value);
}

function cookie(pair: string): Returned {
  const names = pair.replaceAll(/=[^;]*/g, '');
  return { kind: 'cookie', what: `the cookie ${names}`, plan: { fields: [['Cookie', pair]] } };
}

/** A value under the scheme Bearer, in place of an access token. */
function asToken(value: string): Pick<Returned, 'plan' | 'asToken'> {
  return { plan: { fields: [['Authorization', `Bearer ${value}`]] }, asToken: true };
}

function ofField(name: string, value: string): readonly Returned[] {
  return [
    { kind: 'field', what: `the field ${name}`, plan: { fields: [[name, value]] } },
    { kind: 'field', what: `the field ${name}, as a token`, ...asToken(value) },
    {
      kind: 'field',
      what: `the field ${name}, as a cookie`,
      plan: { fields: [['Cookie', `${name}=${value}`]] },
    },
  ];
}

function ofMember(name: string, value: string): readonly Returned[] {
  const kind = 'member';
  const field: Field = [`X-${name.replaceAll(/[^\w-]/g, '').replaceAll('_', '-')}`, value];
  return [
    { kind, what: `the member ${name}, as a token`, ...asToken(value) },
    { kind, what: `the member ${name}, as a cookie`, plan: { fields: [['Cookie', `${name}=${value}`]] } },
    { kind, what: `the member ${name}, as the field ${field[0]}`, plan: { fields: [field] } },
  ];
}

/** The strings in a JSON body, at any depth, with their names; none if it is not JSON. */
function members(body: Buffer): readonly (readonly [name: string, value: string])[] {
  const found: (readonly [string, string])[] = [];
  const visit = (name: string, value: unknown): void => {
    if (typeof value === 'string') found.push([name, value]);
    else if (typeof value === 'object' && value !== null)
      for (const [key, member] of Object.entries(value)) visit(Array.isArray(value) ? name : key, member);
  };
  try {
    visit('body', JSON.parse(body.toString('utf8')));
  } catch {
    return [];
  }
  return found;
}
