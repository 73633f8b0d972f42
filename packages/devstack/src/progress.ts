/** Takes one line for the person who waits. */
export type Progress = (line: string) => void

/** Something the machine lacks; the text says what to install or set, and is shown as it is. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}
