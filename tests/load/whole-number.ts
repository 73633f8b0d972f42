/** The value of an option. @throws TypeError when it is none */
export function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new TypeError(`--${name} is a whole number, not ${JSON.stringify(text)}`)
  return Number(text)
}
