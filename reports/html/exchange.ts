import type { DecodedJwt, ExchangeEvidence } from '../../harness/scenario/record.ts';
import { block, html, type Markup, milliseconds, shown, shownUpTo } from './markup.ts';

/** `401`, or the failure's kind where no response came. */
export function outcomeText({ response }: ExchangeEvidence): string {
  return 'status' in response ? String(response.status) : response.failure;
}

function fieldLines(fields: readonly (readonly [string, string])[]): string {
  return fields.map(([name, value]) => `${name}: ${value}`).join('\n');
}

function requestText({ request }: ExchangeEvidence): string {
  const head = [`${request.method} ${request.target}`, fieldLines(request.fields)]
    .filter((part) => part !== '')
    .join('\n');
  return request.body === undefined ? head : `${head}\n\n${request.body}`;
}

function responseText({ response }: ExchangeEvidence): string {
  if (!('status' in response)) return `no response: ${response.failure}\n${response.detail}`;
  const head = [String(response.status), fieldLines(response.fields)]
    .filter((part) => part !== '')
    .join('\n');
  const cut = response.bodyTruncated ? '\n(body longer than what is kept)' : '';
  return response.body === '' ? head : `${head}\n\n${response.body}${cut}`;
}

/** A JWT part: JSON where it parsed, else the text as it was sent. */
function partText(part: unknown): string {
  return typeof part === 'string' ? part : (JSON.stringify(part, null, 1) ?? 'nothing');
}

function decoded(name: string, jwt: DecodedJwt, more: Markup | null): Markup {
  return html`<div>
    <h6>${name}</h6>
    ${block(`${partText(jwt.header)}\n${partText(jwt.claims)}`)}
    <p class="dim">Signature: ${shown(jwt.signature)}</p>
    ${more}
  </div>`;
}

/** Says of a token or proof that an earlier exchange showed it already, so that each stands in the report once. */
interface Seen {
  readonly tokens: Map<string, number>;
  readonly proofs: Map<string, number>;
  readonly dpop: Map<string, number>;
}

/** A JWT the first time that it is sent in the list, and a reference to that later. */
function onceShown(
  name: string,
  jwt: DecodedJwt,
  { key, id, seen }: { readonly key: string; readonly id: number; readonly seen: Map<string, number> },
  more: Markup,
): Markup {
  const before = seen.get(key);
  if (before === undefined) {
    seen.set(key, id);
    return decoded(name, jwt, more);
  }
  return html`<div>
    <h6>${name}</h6>
    <p class="dim">The same as in #${before}.</p>
  </div>`;
}

function jwts({ id, proof, dpop, token }: ExchangeEvidence, seen: Seen): Markup[] {
  const parts: Markup[] = [];
  if (proof !== undefined) {
    const raw = html`<details class="raw">
      <summary>As sent</summary>
      ${block(proof.compact, 1200)}
    </details>`;
    parts.push(onceShown('Proof, decoded', proof, { key: proof.compact, id, seen: seen.proofs }, raw));
  }
  const hashed = [
    ['DPoP proof, decoded', dpop, seen.dpop],
    ['Access token, decoded', token, seen.tokens],
  ] as const;
  for (const [name, jwt, before] of hashed) {
    if (jwt === undefined) continue;
    const named = html`<p class="dim">SHA-256 ${shown(jwt.sha256)}</p>`;
    parts.push(onceShown(name, jwt, { key: jwt.sha256, id, seen: before }, named));
  }
  return parts;
}

function oneLine(exchange: ExchangeEvidence): Markup {
  const failed = exchange.part !== 'request' && 'failure' in exchange.response;
  return html`<span class="n">#${exchange.id}</span> <span class="chip">${exchange.part}</span> <span class="what">${shown(exchange.what)}</span> <span class="dim">${shown(exchange.connection)} · ${shown(exchange.request.method)} ${shownUpTo(exchange.request.target, 60)} → </span><b${failed && html` class="broken"`}>${shown(outcomeText(exchange))}</b> <span class="dim">${milliseconds(exchange.durationMs)}</span>`;
}

function detailed(exchange: ExchangeEvidence, seen: Seen): Markup {
  return html`<li>
    <details class="exchange">
      <summary>${oneLine(exchange)}</summary>
      <div class="columns">
        <div>
          <h6>Request</h6>
          ${block(requestText(exchange))}
        </div>
        <div>
          <h6>Response</h6>
          ${block(responseText(exchange))}
        </div>
        ${jwts(exchange, seen)}
      </div>
      <p>Expected: ${shown(exchange.expected)}. Observed: ${shownUpTo(exchange.observed, 600)}.</p>
    </details>
  </li>`;
}

/** How many exchanges are listed at most; a scenario may make thousands. */
const LISTED = 60;

/**
 * The exchanges of a result as a list of single lines; those whose ids are in `details` open up to the
 * whole request and response, with token and proof decoded.
 */
export function exchangeList(exchanges: readonly ExchangeEvidence[], details: ReadonlySet<number>): Markup {
  const seen: Seen = { tokens: new Map(), proofs: new Map(), dpop: new Map() };
  const listed = exchanges.filter((exchange, index) => index < LISTED || details.has(exchange.id));
  const rest = exchanges.length - listed.length;
  return html`<ol class="exchanges">
    ${listed.map((exchange) => (details.has(exchange.id) ? detailed(exchange, seen) : html`<li>${oneLine(exchange)}</li>`))}
    ${rest > 0 && html`<li class="dim">and ${rest} more in report.json</li>`}
  </ol>`;
}
