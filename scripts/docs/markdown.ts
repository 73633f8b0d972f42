/** A table in Markdown; cells may hold anything but line breaks. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

export function code(text: string | number): string {
  return `\`${text}\``
}

/**
 * Puts generated text between `<!-- generated: name -->` and `<!-- end -->`.
 *
 * @throws Error when the page has no such place, or one that nothing is generated for
 */
export function fillIn(page: string, sections: Record<string, string>): string {
  const filled = new Set<string>()
  const text = page.replaceAll(
    /(<!-- generated: ([\w-]+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, start: string, name: string, end: string) => {
      const section = sections[name]
      if (section === undefined) throw new Error(`nothing generates the section ${name}`)
      filled.add(name)
      return `${start}\n${section}\n\n${end}`
    },
  )
  for (const name of Object.keys(sections)) {
    if (!filled.has(name)) throw new Error(`no page has a place for the section ${name}`)
  }
  return text
}
