import { cpus, loadavg, totalmem } from 'node:os'

/** What a run was made on, for its report. */
export function hardware(): string {
  const all = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${all.length} × ${all[0]?.model.trim()}, ${memory} GiB, Linux, Node ${process.versions.node}; load generator on the same machine`
}

/** Of the last minute: what the machine was doing before a run. */
export function loadAverage(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100
}
