import { documentOf } from './document.ts';
import { html, type Markup, plural, shown } from './markup.ts';

/** What a page of stories is made from; plain data. */
export interface StoriesView {
  /** Role → title of the implementation that played it. */
  readonly cast: Readonly<Record<string, string>>;
  readonly stories: readonly {
    readonly threat: string;
    readonly title: string;
    readonly steps: readonly {
      readonly who: string;
      readonly does: string;
      readonly expected: string;
      readonly outcome: string;
      readonly holds: boolean;
    }[];
  }[];
}

/** The stories of a chain as one self-contained HTML file. */
export function renderStories({ cast, stories }: StoriesView): string {
  const broken = stories.flatMap(({ steps }) => steps).filter(({ holds }) => !holds).length;
  const steps = stories.reduce((sum, story) => sum + story.steps.length, 0);
  return documentOf({
    title: broken === 0 ? 'Chain: all as it must be' : `Chain: ${plural(broken, 'step')} not as it must be`,
    skip: ['stories', 'Skip to the stories'],
    body: html`<header class="page">
        <h1>Chain <span>from the authorization server to the last resource server</span></h1>
        <p class="run-line">
          ${plural(steps, 'step')}, ${broken === 0 ? 'all as they must be' : `${broken} not as they must be`}
        </p>
      </header>
      <main>
        <dl class="facts">
          ${Object.entries(cast).map(
            ([role, title]) =>
              html`<div>
                <dt>${role.replaceAll('-', ' ')}</dt>
                <dd>${shown(title)}</dd>
              </div>`,
          )}
        </dl>
        <section id="stories">${stories.map(story)}</section>
      </main>`,
  });
}

function story({ threat, title, steps }: StoriesView['stories'][number], index: number): Markup {
  const name = threat === 'use' ? title : `${threat}: ${title}`;
  const isAttack = threat !== 'use';
  const holds = steps.every((step) => step.holds);
  return html`<section aria-labelledby="story-${index}">
    <h2 id="story-${index}">${shown(name)}</h2>
    <p class="${holds ? '' : 'broken'}">
      ${!holds ? 'Not as it must be.' : isAttack ? 'The attack failed: nothing of what was stolen was of use.' : 'Everybody was served.'}
    </p>
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Who</th>
          <th scope="col">Does</th>
          <th scope="col">Must be</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        ${steps.map(
          ({ who, does, expected, outcome, holds: held }) =>
            html`<tr>
              <th scope="row">${shown(who)}</th>
              <td data-label="Does">${shown(does)}</td>
              <td data-label="Must be">${expected}</td>
              <td data-label="Outcome" class="${held ? '' : 'broken'}">
                ${held ? '✓' : '✕'} ${shown(outcome)}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}
