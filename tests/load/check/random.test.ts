import { randomInt } from 'node:crypto'
import t from 'tap'
import { drawFrom } from '../faults/draw.ts'
import { check } from './check.ts'
import { corruptions } from './corruptions.ts'
import { randomStory } from './random-story.ts'
import { play, type Story, type Told } from './story.ts'

const ROUNDS = 40
const seed = Number(process.env.SEED ?? randomInt(2 ** 31))
t.comment(`SEED=${seed}`)

t.test('random runs in which nothing went wrong are clean', async (t) => {
  for (let round = 0; round < ROUNDS; round++) {
    const { examples } = check(play(randomStory(drawFrom(seed, round))))
    t.same(examples, [], `seed ${seed}, round ${round}`)
  }
})

for (const { name, kind, apply } of corruptions) {
  t.test(`found in random runs, with its kind and its place: ${name}`, async (t) => {
    let applied = 0
    for (let round = 0; round < ROUNDS; round++) {
      const draw = drawFrom(seed, round)
      const story = randomStory(draw)
      const victim = apply(story, draw)
      if (!victim) continue
      applied += 1
      const { clean, violations, examples } = check(play(story))
      t.equal(clean, false, `seed ${seed}, round ${round}`)
      t.ok(violations[kind] > 0, `seed ${seed}, round ${round}: ${kind} among ${JSON.stringify(violations)}`)
      const [place, msgId] = namesOf(victim, story)
      const named = examples.some((line) => line.startsWith(`${kind}: ${place}`) && line.includes(msgId))
      t.ok(named, `seed ${seed}, round ${round}: ${kind} names ${place} and ${msgId}`)
    }
    t.ok(applied > ROUNDS / 2, `there was something to corrupt in ${applied} of ${ROUNDS} rounds`)
  })
}

function namesOf({ conversation, seq, send }: Told, { conversations }: Story): [place: string, msgId: string] {
  const msgId = typeof send === 'number' ? `run-${send.toString(36)}` : send
  return [`${conversations[conversation]?.id} seq ${seq}, `, `msgId ${msgId}`]
}
