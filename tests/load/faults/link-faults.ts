import type { NetFault } from '@qunxin/devstack/tcp-proxy'
import type { Course } from './course.ts'
import type { Draw } from './draw.ts'
import type { Links } from './links.ts'
import type { LinkFault } from './spec.ts'

const SLICE_PAUSE_MS = 1

/** Impairs a link for a while, and mends it, again and again. */
export async function runLinkFault(fault: LinkFault, links: Links, draw: Draw, course: Course): Promise<void> {
  const { link, count = Number.POSITIVE_INFINITY, everyMs, forMs, direction, all } = fault
  for (let done = 0; done < count; done += 1) {
    await course.pause(draw.between(0.5, 1.5) * everyMs)
    if (course.over) return
    const proxied = links.of(link)
    const chosen = all ? proxied : [draw.of(proxied)]
    const where = `${chosen.map(({ name }) => name).join(', ')}, ${direction}`
    course.say({ what: `${fault.fault} ${where}, for ${forMs / 1_000} s`, target: link })
    for (const one of chosen) one.impair(netFault(fault))
    await course.pause(forMs)
    for (const one of chosen) one.mend()
    course.say({ what: `mended ${where}`, target: link })
  }
}

function netFault({ fault, direction, delayMs, jitterMs, bytes }: LinkFault): NetFault {
  if (fault === 'delay') return { kind: 'delay', direction, ms: delayMs, jitterMs }
  if (fault === 'slice') return { kind: 'slice', direction, bytes, pauseMs: SLICE_PAUSE_MS }
  return { kind: fault, direction }
}
