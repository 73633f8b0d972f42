export interface Snippet {
  name: string
  language: string
  code: string
}

/** The code blocks of a page that follow a mark `<!-- runs: name -->`. */
export function snippetsOf(page: string): Snippet[] {
  const found = page.matchAll(/<!-- runs: ([\w-]+) -->\n```(\w+)\n([\s\S]*?)\n```/g)
  return Array.from(found, ([, name = '', language = '', code = '']) => ({ name, language, code }))
}
