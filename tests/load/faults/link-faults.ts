import type { Direction, NetFault } from '@qunxin/devstack/tcp-proxy'
import type { Course } from './course.ts'
import type { Draw } from './draw.ts'
import type { Links } from './links.ts'
import type { Link, LinkFault, LinkFaultKind } from './spec.ts'

const SLICE_PAUSE_MS = 1

/** What is done to one link at a time. */
interface Turn {
  link: Link
  kind: LinkFaultKind
  direction: Direction
}

/** Impairs a link for a while, and mends it, again and again; of several possibilities each comes before one comes twice. */
export async function runLinkFault(fault: LinkFault, links: Links, draw: Draw, course: Course): Promise<void> {
  const { count = Number.POSITIVE_INFINITY, everyMs, forMs } = fault
  let turns: Turn[] = []
  for (let done = 0; done < count; done += 1) {
    await course.pause(draw.between(0.5, 1.5) * everyMs)
    if (course.over) return
    if (turns.length === 0) turns = draw.shuffled(turnsOf(fault))
    const turn = turns.pop() as Turn
    const proxied = links.of(turn.link)
    const chosen = fault.all ? proxied : [draw.of(proxied)]
    const where = `${chosen.map(({ name }) => name).join(', ')}, ${turn.direction}`
    course.say({ what: `${turn.kind} ${where}, for ${forMs / 1_000} s`, target: turn.link })
    for (const one of chosen) one.impair(netFault(turn, fault))
    await course.pause(forMs)
    for (const one of chosen) one.mend()
    course.say({ what: `mended ${where}`, target: turn.link, over: true })
  }
}

function turnsOf({ links, faults, directions }: LinkFault): Turn[] {
  return links.flatMap((link) => faults.flatMap((kind) => directions.map((direction) => ({ link, kind, direction }))))
}

function netFault({ kind, direction }: Turn, { delayMs, jitterMs, bytes }: LinkFault): NetFault {
  if (kind === 'delay') return { kind, direction, ms: delayMs, jitterMs }
  if (kind === 'slice') return { kind, direction, bytes, pauseMs: SLICE_PAUSE_MS }
  return { kind, direction }
}
