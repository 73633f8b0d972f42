import { execFile } from 'node:child_process'

export interface Ran {
  ok: boolean
  output: string
}

/** Runs a program to its end and returns everything it printed; never throws for its exit code. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, [...args], { ...options, maxBuffer: 32 << 20 }, (error, stdout, stderr) =>
      resolve({ ok: error === null, output: `${stdout}${stderr}` }),
    )
  })
}
