import type { AttackEvidence } from '../../harness/scenario/record.ts';
import { html, type Markup, shown } from './markup.ts';

/** An attack as a story: who, with what, what was tried, how it ended. */
export function attackStory(attack: AttackEvidence): Markup {
  return html`<h5>Attack</h5>
    <div class="story" data-find>
      <dl>
        <div>
          <dt>Attacker</dt>
          <dd>${shown(attack.attacker)}</dd>
        </div>
        <div>
          <dt>Loot</dt>
          <dd>${shown(attack.loot)}</dd>
        </div>
      </dl>
      <ol>
        ${attack.attempts.map(({ attempt, outcome, succeeded }) => html`<li class="${succeeded ? 'won' : 'lost'}">${shown(attempt)} <b>${succeeded ? 'Succeeded' : 'Refused'}</b>: ${shown(outcome)}</li>`)}
      </ol>
      <p><strong>Outcome:</strong> ${shown(attack.outcome)}</p>
    </div>`;
}
