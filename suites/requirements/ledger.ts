import { AMBIGUITIES, DRAFT } from './catalogue.ts';
import { coverage } from './coverage.ts';
import type { Covered } from './coverage.ts';

const HEAD = `# The ambiguity ledger

<!-- Generated from suites/requirements. Rewrite it with: npx node suites/requirements/ledger.ts > docs/ambiguities.md -->

Where ${DRAFT} is silent, contradicts itself or can be read in two ways, the suite does not pick
a reading in secret: it writes the matter down here, with the *stance* that its scenarios take. A stance says what counts as
\`pass\`, \`fail\`, \`warn\` or \`info\` (an observation that fails nobody). Section numbers are those of the draft.
\`npx tsbt explain AMB-01\` prints an entry, \`npx tsbt explain RS-EKM-4\` a requirement with the entries that it touches.
`;

/** Text from the catalogue, so that Markdown shows it as it is written there. */
function plain(text: string): string {
  return text.replaceAll(/[\\`*_<>[\]|]/g, String.raw`\$&`);
}

function told(row: Covered): string {
  const scenarios = row.scenarios.filter((id) => id !== row.id);
  if (row.scenarios.length === 0) return `${row.id} (not tested)`;
  return scenarios.length === 0 ? row.id : `${row.id} (${row.scenarios.join(', ')})`;
}

/**
 * The ambiguity ledger as Markdown: each matter on which the draft is unclear, the stance that the suite takes, and
 * the requirements it bears on, with their scenarios where these have ids of their own. Ends in a line feed.
 */
export function ledger(): string {
  const rows = coverage();
  const entries = AMBIGUITIES.map(({ id, sections, issue, stance }) => {
    const touched = rows.filter((row) => row.ambiguities.some((entry) => entry.id === id)).map(told);
    const where = sections === '-' ? 'No section of its own' : `§ ${plain(sections)}`;
    return [
      `## ${id}`,
      `*${where}.* ${plain(issue)}`,
      `**Stance.** ${plain(stance)}`,
      touched.length === 0
        ? 'No requirement of the roles that can be run today depends on it.'
        : `Requirements: ${touched.join('; ')}.`,
    ].join('\n\n');
  });
  return `${[HEAD.trimEnd(), ...entries].join('\n\n')}\n`;
}

if (import.meta.main) process.stdout.write(ledger());
