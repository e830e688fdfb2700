import type { IncomingHttpHeaders } from 'node:http';
import { ERROR } from '../proof/vocabulary.ts';

/** One challenge of a WWW-Authenticate field (RFC 9110 §11.6.1). */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = String.raw`[!#$%&'*+.^_\`|~0-9A-Za-z-]+`;
/** A parameter, a scheme that starts a challenge, a token68, or a separator, whichever comes next. */
const PART = new RegExp(
  String.raw`[\s,]*(?:(?<name>${TOKEN})\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>${TOKEN})(?=[\s,]|$))` +
    String.raw`|(?<scheme>${TOKEN})(?=[\s,]|$)|(?<other>[^\s,]+))`,
  'gy',
);

/**
 * Reads the challenges of a response, however they are spread over fields. What cannot be read is
 * skipped.
 *
 * Source: RFC 9110 §11.6.1, RFC 6750 §3.
 */
export function parseChallenges(field: string | readonly string[] | undefined): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  for (const text of [field ?? []].flat()) {
    for (const { groups } of text.matchAll(PART)) {
      if (groups?.['scheme'] !== undefined) {
        challenges.push({ scheme: groups['scheme'].toLowerCase(), parameters: new Map() });
      } else if (groups?.['name'] !== undefined) {
        const value = groups['quoted']?.replace(/\\(.)/g, '$1') ?? groups['plain'] ?? '';
        challenges.at(-1)?.parameters.set(groups['name'].toLowerCase(), value);
      }
    }
  }
  return challenges;
}

/**
 * Whether a response says that the proof was refused, or that there should have been one.
 *
 * Source: draft -06 §3.5.
 */
export function asksForProof(status: number, headers: IncomingHttpHeaders): boolean {
  if (status !== 401) return false;
  return parseChallenges(headers['www-authenticate']).some(({ scheme, parameters }) => {
    const error = parameters.get('error');
    return scheme === 'bearer' && (error === ERROR.invalidProof || error === ERROR.useSessionBinding);
  });
}
