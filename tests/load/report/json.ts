import type { RunResult } from '../result.ts'

/** One line for each entry of a list: a timeline can be read, and compared with another run's. */
export function resultJson(result: RunResult): string {
  const fields = Object.entries(result).map(([name, value]) => {
    const text = Array.isArray(value)
      ? `[${value.map((entry) => `\n    ${JSON.stringify(entry)}`).join(',')}\n  ]`
      : JSON.stringify(value, null, 2)?.replaceAll('\n', '\n  ')
    return text === undefined ? '' : `  ${JSON.stringify(name)}: ${text}`
  })
  return `{\n${fields.filter((field) => field !== '').join(',\n')}\n}\n`
}
