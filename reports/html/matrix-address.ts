import { clip } from '../visible.ts';
import { html, type Markup, shown } from './markup.ts';

/** What an address cannot hold is written as its number, so that no two names become one. */
const safe = (name: string): string =>
  name.replaceAll(/[^\w.-]/gu, (character) => `~${character.codePointAt(0)?.toString(16) ?? ''}~`);
/** The address of a pair on the page. */
export const cellId = (client: string, server: string): string => `${safe(client)}/${safe(server)}`;
/** The address of a client or server on the page. */
export const partyId = (side: string, name: string): string => `${side}.${safe(name)}`;

/** A text of a target's or of the run, of bounded length. */
export function told(text: string, length = 600): Markup {
  const { text: kept, omitted } = clip(text, length);
  return omitted === 0
    ? shown(kept)
    : html`${shown(kept)}<span class="cut">… ${omitted} more characters in matrix.json</span>`;
}
