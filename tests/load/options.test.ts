import t from 'tap'
import { helpText, readOptions } from './options.ts'

t.test('what is not given is as the help says', async (t) => {
  t.match(readOptions(['pairs']), {
    scenario: { name: 'pairs' },
    settings: {},
    faults: [],
    seed: undefined,
    gateways: 2,
    messageServices: 2,
    groupServices: 1,
    join: undefined,
    out: '.data/load',
    keepHistory: false,
    profile: false,
  })
})

t.test('settings of the scenario, of every scenario and of the system stand beside one another', async (t) => {
  const faults = ['kill:message-service:count=2', 'stop:gateway-1']
  const line =
    '--in-flight 8 --both-ways --sdk --warm-up 0.5 --seconds 2 --message-services 5 --seed 7 --out there --keep-history --profile'
  t.match(readOptions(['pairs', ...line.split(' '), ...faults.flatMap((fault) => ['--fault', fault])]), {
    settings: { inFlight: 8, bothWays: true, sdk: true, warmUp: 0.5, seconds: 2 },
    faults,
    seed: 7,
    messageServices: 5,
    out: 'there',
    keepHistory: true,
    profile: true,
  })
})

t.test('a command line that means nothing is refused with the reason', async (t) => {
  const wrong: [string[], RegExp][] = [
    [[], /Which scenario\? One of .*pairs/],
    [['--seed', '1', 'pairs'], /Which scenario/],
    [['nothing'], /There is no scenario "nothing": take one of .*pairs/],
    [['pairs', '--clients', '3'], /Unknown option '--clients'$/],
    [['pairs', 'more'], /Unexpected argument 'more'/],
    [['pairs', '--rate', 'fast'], /--rate is a number, not "fast"/],
    [['pairs', '--gateways', '0'], /--gateways is a number from 1, not "0"/],
    [['pairs', '--fault', 'flood:all'], /The fault "flood:all" is none/],
    [['pairs', '--join', 'x', '--fault', 'kill:all'], /--fault is done to a system that this command starts itself/],
    [['pairs', '--join', 'x', '--profile'], /--profile is of a system that this command starts itself/],
  ]
  for (const [args, message] of wrong)
    t.throws(() => readOptions(args), { name: 'UsageError', message }, args.join(' '))
})

t.test('help lists every option with what it is unless given', async (t) => {
  t.equal(readOptions(['--help']), undefined)
  t.equal(readOptions(['pairs', '-h']), undefined)
  for (const line of [
    /--connections .*\(10000\)/,
    /--online .*\(200\)/,
    /--every .*\(15\)/,
    /--gateways .*\(2\)/,
    /scale:/,
  ])
    t.match(helpText(), line)
})
