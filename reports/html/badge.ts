import type { Level, Verdict } from '../../harness/scenario/record.ts';
import type { Conclusion } from '../conclusion.ts';
import { html, type Markup } from './markup.ts';

const MARKS: Readonly<Record<Verdict, string>> = {
  fail: '✕',
  inconclusive: '?',
  warn: '!',
  info: 'i',
  'not-applicable': '–',
  pass: '✓',
};

/** A verdict as it is said to people. */
export function verdictWord(verdict: Verdict): string {
  return verdict === 'not-applicable' ? 'not applicable' : verdict;
}

/** A verdict in word, mark and colour: never by colour alone. */
export function verdictBadge(verdict: Verdict): Markup {
  return html`<span class="badge v-${verdict}"
    ><span aria-hidden="true">${MARKS[verdict]}</span> ${verdictWord(verdict)}</span
  >`;
}

export function levelChip(level: Level): Markup {
  return html`<span class="chip level">${level}</span>`;
}

/** The mark beside a target's headline. */
export function conclusionMark(conclusion: Conclusion): Markup {
  const mark = { conformant: '✓', 'not-conformant': '✕', inconclusive: '?' }[conclusion];
  return html`<span class="mark" aria-hidden="true">${mark}</span>`;
}
