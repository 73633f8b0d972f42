import { html, Markup } from './markup.ts'
import { plotStyle } from './style.ts'

/** A plot of a page as a file that stands for itself. */
export function svgFile({ text }: Markup): string {
  const [open = ''] = /^<svg [^>]*>/.exec(text) ?? []
  const named = open.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ')
  return html`${new Markup(named)}
${plotStyle}${new Markup(text.slice(open.length))}
`.text
}
