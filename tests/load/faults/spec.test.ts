import t from 'tap'
import { LINKS, parseFault, SPEC_HELP } from './spec.ts'

t.test('a fault is read from the command line, with what was left out', async (t) => {
  t.match(parseFault('kill:services'), { kind: 'kill', who: 'services', each: false, everyMs: 5_000, count: undefined })
  t.match(parseFault('kill:message-service-2:each:every=1.5s:count=20'), { each: true, everyMs: 1_500, count: 20 })
  t.match(parseFault('stop:mongod:for=250ms'), { kind: 'stop', who: 'mongod', forMs: 250 })
  t.match(parseFault('scale:message-service:1,3,1:every=2s'), {
    service: 'message-service',
    steps: [1, 3, 1],
    everyMs: 2_000,
  })
  t.match(parseFault('net:client-gateway:slice:upstream:all:for=2s:bytes=7'), {
    links: ['client-gateway'],
    faults: ['slice'],
    directions: ['upstream'],
    all: true,
    forMs: 2_000,
    bytes: 7,
  })
  t.match(parseFault('net:servers:any:any:count=3'), {
    links: LINKS.slice(1),
    faults: ['cut', 'delay', 'blackhole', 'slice'],
    directions: ['upstream', 'downstream', 'both'],
  })
  t.match(parseFault('net:gateway-nats:delay:both:ms=30:jitter=5'), { delayMs: 30, jitterMs: 5, forMs: 1_000 })
})

for (const [text, says] of Object.entries({
  explode: /begins with one of kill, stop, restart, scale, net/,
  'kill:everything': /names a process, or one of services, servers, all, gateway/,
  'kill:gateway-x': /names a process/,
  'kill:gateway:for=2s': /takes each, every=, count=, not "for=2s"/,
  'stop:gateway:for=2': /has a time like 500ms or 5s for for, not "2"/,
  'restart:all:count=many': /has a whole number for count, not "many"/,
  'scale:mongod:1,2': /scales one of gateway, message-service, group-service/,
  'scale:message-service:0,1': /says how many/,
  'net:gateway-mongo:cut:both': /names a link: client-gateway, gateway-nats/,
  'net:gateway-nats:burn:both': /names one of cut, delay, blackhole, slice/,
  'net:gateway-nats:cut:up': /names a direction: upstream, downstream, both/,
  'net:gateway-nats:cut:both:ms=5': /takes all, for=, every=, count=, not "ms=5"/,
}))
  t.test(`${text} is refused with what is allowed`, async (t) => {
    t.throws(() => parseFault(text), says)
    t.throws(() => parseFault(text), { name: 'TypeError', message: SPEC_HELP })
  })
