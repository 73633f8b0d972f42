/** The docstring before each `name:` or `export const name =` of a source file, as one line. */
export function docstrings(source: string): Map<string, string> {
  const found = source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*\n\s*(?:export const )?(\w+)\s*[:=]/g)
  return new Map(Array.from(found, ([, text = '', name = '']) => [name, oneLine(text)]))
}

/** The docstring before each `operation('name', …)`. */
export function operationDocstrings(source: string): Map<string, string> {
  const found = source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*\nexport const \w+ = operation\('([\w.]+)'/g)
  return new Map(Array.from(found, ([, text = '', name = '']) => [name, oneLine(text)]))
}

function oneLine(comment: string): string {
  return comment
    .replaceAll(/\n\s*\*/g, '\n')
    .replaceAll(/\{@link (\w+)\}/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
