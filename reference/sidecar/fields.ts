import type { IncomingHttpHeaders } from 'node:http';
import { canonicalName } from '../client/request-fields.ts';
import { PROOF_FIELD_LOWER } from '../proof/vocabulary.ts';

/** Fields that speak of one connection only, and are not passed on (RFC 9110 §7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Fields by which a proxy tells a server what it knows of the TLS connection: an agent has nothing to say
 * there (draft -06 §5.1, Appendix B.4; RFC 9440 §2). Each in its canonical form.
 */
const TOLD_BY_PROXIES: ReadonlySet<string> = new Set([
  PROOF_FIELD_LOWER,
  'tls-exporter',
  'client-cert',
  'client-cert-chain',
  'x-client-cert',
  'x-ssl-client-cert',
  'x-forwarded-client-cert',
]);

/** The names in a Connection field, which are hop-by-hop too. */
function namedBy(connection: string | undefined): ReadonlySet<string> {
  return new Set(connection?.split(',').map((name) => name.trim().toLowerCase()));
}

/**
 * The fields of an agent's request that go to the server.
 *
 * @param rawHeaders names and values in turn
 * @returns the same, in the same order
 */
export function requestFields(rawHeaders: readonly string[], connection: string | undefined): string[] {
  const named = namedBy(connection);
  const fields: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    const lower = name.toLowerCase();
    // Expect was answered here. What Connection names may not take credentials away.
    if (lower === 'host' || lower === 'expect' || HOP_BY_HOP.has(lower)) continue;
    if (TOLD_BY_PROXIES.has(canonicalName(name))) continue;
    if (named.has(lower) && lower !== 'authorization') continue;
    fields.push(name, value);
  }
  return fields;
}

/** The fields of the server's response that go to the agent. */
export function responseFields(headers: IncomingHttpHeaders): [string, string | string[]][] {
  const named = namedBy(headers.connection);
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || HOP_BY_HOP.has(name) || named.has(name) ? [] : [[name, value]],
  );
}
