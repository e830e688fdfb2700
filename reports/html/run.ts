import type { Report } from '../model.ts';
import { attributeText, html, type Markup, milliseconds, plural, shown } from './markup.ts';

function selectionText({ selection }: Report): string {
  const parts = [
    ...(selection.role === null ? [] : [`role ${selection.role}`]),
    ...(selection.suites.length === 0 ? [] : [`suites ${selection.suites.join(', ')}`]),
    ...(selection.scenarios.length === 0 ? [] : [`scenarios ${selection.scenarios.join(', ')}`]),
    ...(selection.requirements.length === 0 ? [] : [`requirements ${selection.requirements.join(', ')}`]),
  ];
  return parts.length === 0 ? 'everything' : parts.join('; ');
}

function time(at: string): Markup {
  return html`<time datetime="${attributeText(at)}"
    >${shown(at.replace('T', ' ').replace(/\.\d+Z$/, 'Z'))}</time
  >`;
}

/** The one line that stands over everything: what was tested against, and when. */
export function runLine(report: Report): Markup {
  return html`${shown(report.draft)} · ${report.selection.profile} profile · ${time(report.startedAt)}`;
}

/** When, with what and how much was run. */
export function runFacts(report: Report): Markup {
  const { measured, selection, tool } = report;
  return html`<dl class="facts run">
    <div>
      <dt>Profile</dt>
      <dd>${selection.profile}${selection.strict && ', strict'}</dd>
    </div>
    <div>
      <dt>Selected</dt>
      <dd>${shown(selectionText(report))}</dd>
    </div>
    <div>
      <dt>Took</dt>
      <dd>
        ${milliseconds(measured.wallMs)}, ${plural(measured.handshakes, 'handshake')},
        ${plural(measured.requests, 'request')}
      </dd>
    </div>
    <div>
      <dt>Suite</dt>
      <dd>${shown(`${tool.name} ${tool.version}`)}</dd>
    </div>
    <div>
      <dt>Exit code</dt>
      <dd>${report.exitCode}</dd>
    </div>
  </dl>`;
}

/** What went wrong with the run itself; stands above everything else. */
export function problems(report: Report): Markup | null {
  const matters = [
    ...report.targets.flatMap(({ title, problem }) =>
      problem === undefined ? [] : [`${title}: ${problem}`],
    ),
    ...report.problems,
  ];
  if (report.complete && matters.length === 0) return null;
  return html`<section class="problems${report.complete ? '' : ' incomplete'}" aria-labelledby="problems">
    <h2 id="problems">${report.complete ? 'Problems of this run' : 'Incomplete run'}</h2>
    ${!report.complete && html`<p>The run was cut short or results were lost. What is missing below was not judged; nothing here shows conformance.</p>`}
    ${
      matters.length > 0 &&
      html`<ul>
        ${matters.map((matter) => html`<li>${shown(matter)}</li>`)}
      </ul>`
    }
  </section>`;
}
