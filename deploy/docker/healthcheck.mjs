// Healthy means ready: it ends with 0 when /readyz on the ops port answers 200.
const port = process.env.OPS_PORT ?? '9080'
const ready = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
  (response) => response.ok,
  () => false,
)
process.exitCode = ready ? 0 : 1
