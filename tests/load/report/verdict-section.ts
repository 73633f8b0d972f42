import type { Bound, RunResult, Verdict } from '../result.ts'
import { whole } from './figures.ts'
import { html, type Markup } from './markup.ts'
import { failureInWords, KINDS, passed } from './violations.ts'

/** The one thing to know of a run. */
export function banner(result: RunResult): Markup {
  return passed(result)
    ? html`<div class="verdict clean"><strong>Clean.</strong> Nothing lost, nothing doubled, one order, every receiver served.</div>`
    : html`<div class="verdict failed"><strong>Failed.</strong> ${failureInWords(result)}</div>`
}

/** What every message was held against, what was found, and what had to hold besides. */
export function checkedSection({ verdict, bounds = [] }: RunResult): Markup {
  const { checked, examples } = verdict
  return html`<section class="card"><h2>What was checked</h2>
<p>${whole(checked.acknowledged)} acknowledged messages, from the first connection to the end, against ${whole(checked.stored)} in the history and ${whole(checked.shown)} shown to clients.</p>
${violationsTable(verdict)}
${examples.length > 0 && html`<h2>Examples</h2><ol class="examples">${examples.map((example) => html`<li>${example}</li>`)}</ol>`}
${bounds.length > 0 && html`<h2>What had to hold besides</h2>${boundsTable(bounds)}`}</section>`
}

function violationsTable({ violations }: Verdict): Markup {
  return html`<div class="wide"><table><thead><tr><th>kind</th><th>what it means</th><th class="number">found</th></tr></thead>
<tbody>${KINDS.map(
    ({ kind, name, meaning }) =>
      html`<tr><td class="keep">${name}</td><td>${meaning}</td><td class="number ${violations[kind] > 0 ? 'bad' : 'zero'}">${whole(violations[kind])}</td></tr>`,
  )}</tbody></table></div>`
}

function boundsTable(bounds: readonly Bound[]): Markup {
  return html`<div class="wide"><table><thead><tr><th>what</th><th class="number">limit</th><th class="number">found</th></tr></thead>
<tbody>${bounds.map(
    ({ what, limit, found, held }) =>
      html`<tr><td>${what}</td><td class="number">${limit}</td><td class="number ${held ? 'good' : 'bad'}">${found}</td></tr>`,
  )}</tbody></table></div>`
}
