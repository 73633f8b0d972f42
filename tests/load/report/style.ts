import { Markup } from './markup.ts'

/** Colours are told apart by those who confuse red and green, on both grounds. */
const COLOURS = `:root {
  --ground: #f6f7f8; --card: #fff; --ink: #1b1f24; --soft: #5c6670; --line: #e1e4e8;
  --good: #0a7a55; --good-ground: #e3f5ed; --bad: #b3261e; --bad-ground: #fdeceb; --mark: #b45309;
  --series-1: #1f5fbf; --series-2: #0a7a6b; --series-3: #b3261e; --series-4: #7a4bb5; --series-5: #a85a00; --series-6: #56646f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121417; --card: #1a1d21; --ink: #e6e9ec; --soft: #9aa4ae; --line: #2c3137;
    --good: #4cc38a; --good-ground: #12291f; --bad: #ff8f85; --bad-ground: #351917; --mark: #f0a44b;
    --series-1: #6ea8ff; --series-2: #3fc7b0; --series-3: #ff8f85; --series-4: #c29bff; --series-5: #f0a44b; --series-6: #a9b4be;
  }
}`

const PAGE = `* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 17px; margin: 0 0 12px; }
.card > * + h2 { margin-top: 24px; }
p { margin: 0 0 12px; }
.under { color: var(--soft); margin: 0 0 20px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 20px; margin: 0 0 20px; }
.verdict { border-radius: 10px; padding: 14px 20px; margin: 0 0 20px; border: 1px solid currentColor; font-size: 17px; }
.verdict strong { margin-right: 6px; }
.verdict.clean { color: var(--good); background: var(--good-ground); }
.verdict.failed { color: var(--bad); background: var(--bad-ground); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 0 0 20px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.tile b { display: block; font-size: 22px; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 13px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); gap: 8px 32px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: 13px; }
th, td { padding: 6px 16px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child > td, tr:last-child > th { border-bottom: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th { border-bottom: 1px solid var(--soft); vertical-align: bottom; }
.group { padding-top: 18px; color: var(--ink); font-weight: 600; font-size: 14px; }
.number { text-align: right; white-space: nowrap; }
tfoot td { border-top: 1px solid var(--soft); font-weight: 600; }
.zero, .soft { color: var(--soft); }
.bad { color: var(--bad); font-weight: 600; }
.good { color: var(--good); }
.keep { white-space: nowrap; }
.narrow { width: 1%; white-space: nowrap; }
.command { margin: -8px 0 20px; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 0; font-size: 14px; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
code, .examples li { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.examples { margin: 0; padding-left: 20px; }
.examples li { white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin-top: 12px; }
summary { cursor: pointer; color: var(--soft); }
svg { display: block; width: 100%; height: auto; min-width: 620px; }
.small svg { min-width: 320px; }
.mark-number { color: var(--mark); font-weight: 600; }
@media print { body { background: #fff; } .card, .tile { break-inside: avoid; } }`

const PLOTS = `svg text { font-size: 12px; fill: var(--ink); }
svg .tick { fill: var(--soft); font-size: 11px; }
svg .middle { text-anchor: middle; }
svg .end { text-anchor: end; }
svg .title { font-weight: 600; fill: var(--series); paint-order: stroke; stroke: var(--card); stroke-width: 5px; }
svg .named { font-weight: 600; fill: var(--series); }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .line { fill: none; stroke: var(--series); stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
svg .area { fill: var(--series); opacity: 0.1; }
svg circle { fill: var(--card); stroke: var(--series); stroke-width: 1.5; }
svg .mark line { stroke: var(--mark); stroke-width: 1; stroke-dasharray: 3 3; }
svg .mark text { fill: var(--mark); font-size: 11px; font-weight: 600; }
svg .over line { stroke: var(--soft); stroke-dasharray: 1 4; }
svg .over text { fill: var(--soft); font-weight: 400; }
svg .told { fill: transparent; }
svg .told:hover { fill: var(--ink); opacity: 0.06; }
.series-1 { --series: var(--series-1); } .series-2 { --series: var(--series-2); } .series-3 { --series: var(--series-3); }
.series-4 { --series: var(--series-4); } .series-5 { --series: var(--series-5); } .series-6 { --series: var(--series-6); }`

export const style = new Markup(`<style>
${COLOURS}
${PAGE}
${PLOTS}
</style>`)

/** Of a plot that is a file of its own. */
export const plotStyle = new Markup(`<style>
${COLOURS}
svg { background: var(--card); font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
${PLOTS}
</style>`)
