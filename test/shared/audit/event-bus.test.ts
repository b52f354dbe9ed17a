import { EventBridge, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'
import { afterEach, expect, test } from 'vitest'
import { type LocalEventBus, type Rule, startEventBus } from '../../../infra/local/event-bus.ts'
import type { BusEvent } from '../../../infra/local/put-events.ts'

let bus: LocalEventBus | undefined
let client: EventBridge | undefined
afterEach(async () => {
  client?.destroy()
  await bus?.close()
})

async function given(...rules: Rule[]): Promise<EventBridge> {
  bus = await startEventBus({ rules })
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  client = new EventBridge({
    endpoint: bus.endpoint,
    region: 'eu-central-1',
    credentials,
    maxAttempts: 1,
  })
  return client
}

/** A rule that keeps what it gets. */
function collecting(pattern: unknown, name = 'collecting'): Rule & { events: BusEvent[] } {
  const events: BusEvent[] = []
  return { name, pattern, events, target: async (event) => void events.push(event) }
}

const entry = (differs: Partial<PutEventsRequestEntry> = {}): PutEventsRequestEntry => ({
  Source: 'keyhold',
  DetailType: 'Greeting',
  Detail: '{"to":"world"}',
  ...differs,
})

test('an accepted entry was delivered, as an event in its envelope', async () => {
  const rule = collecting({ source: ['keyhold'] })
  const bridge = await given(rule)
  const Time = new Date('2026-11-23T12:00:00.700Z')
  const answer = await bridge.putEvents({ Entries: [entry({ Time, Resources: ['arn:x'] })] })
  expect(answer.FailedEntryCount).toBe(0)
  expect(rule.events).toEqual([
    {
      version: '0',
      id: answer.Entries?.[0]?.EventId,
      'detail-type': 'Greeting',
      source: 'keyhold',
      account: '000000000000',
      time: '2026-11-23T12:00:00Z',
      region: 'eu-central-1',
      resources: ['arn:x'],
      detail: { to: 'world' },
    },
  ])
})

test('an event goes to every rule that matches and to no other', async () => {
  const [one, two, none] = [
    collecting({ source: ['keyhold'] }),
    collecting({ detail: { to: [{ prefix: 'w' }] } }),
    collecting({ source: ['other'] }),
  ]
  const bridge = await given(one, two, none)
  await bridge.putEvents({ Entries: [entry()] })
  expect([one, two, none].map(({ events }) => events.length)).toEqual([1, 1, 0])
})

test('an entry that no rule matches is accepted', async () => {
  const bridge = await given()
  expect((await bridge.putEvents({ Entries: [entry()] })).FailedEntryCount).toBe(0)
})

test('wrong entries are refused one by one, and the others delivered', async () => {
  const rule = collecting({ source: ['keyhold'] })
  const bridge = await given(rule)
  const answer = await bridge.putEvents({
    Entries: [
      entry({ Source: undefined }),
      entry(),
      entry({ DetailType: '' }),
      entry({ Detail: undefined }),
      entry({ Detail: '{"to":' }),
      entry({ Detail: '"text"' }),
      entry({ Source: 'aws.kms' }),
    ],
  })
  expect(answer.FailedEntryCount).toBe(6)
  expect(
    answer.Entries?.map(({ ErrorCode, ErrorMessage }) => ErrorCode && [ErrorCode, ErrorMessage]),
  ).toEqual([
    ['InvalidArgument', 'Parameter Source is not valid. Reason: Source is a required argument.'],
    undefined,
    [
      'InvalidArgument',
      'Parameter DetailType is not valid. Reason: DetailType is a required argument.',
    ],
    ['InvalidArgument', 'Parameter Detail is not valid. Reason: Detail is a required argument.'],
    ['MalformedDetail', 'Detail is malformed.'],
    ['MalformedDetail', 'Detail is malformed.'],
    ['NotAuthorizedForSourceException', 'Not authorized for the source.'],
  ])
  expect(rule.events).toHaveLength(1)
})

test.each([
  ['no entries', []],
  ['eleven entries', Array(11).fill(entry())],
  [
    'more than 256 KB together',
    Array(2).fill(entry({ Detail: JSON.stringify('x'.repeat(140_000)) })),
  ],
])('a call with %s is refused as a whole', async (_, Entries) => {
  const bridge = await given()
  await expect(bridge.putEvents({ Entries })).rejects.toMatchObject({
    name: 'ValidationException',
    $metadata: { httpStatusCode: 400 },
  })
})

test('a target that fails now and then gets the event again', async () => {
  let attempts = 0
  const flaky: Rule = {
    name: 'flaky',
    pattern: { source: ['keyhold'] },
    target: async () => {
      attempts += 1
      if (attempts < 3) throw new Error('Not now.')
    },
  }
  const bridge = await given(flaky)
  expect((await bridge.putEvents({ Entries: [entry()] })).FailedEntryCount).toBe(0)
  expect(attempts).toBe(3)
})

test('a target that keeps failing makes its entry fail, and only that', async () => {
  const failing: Rule = {
    name: 'failing',
    pattern: { 'detail-type': ['Farewell'] },
    target: () => Promise.reject(new Error('Never.')),
  }
  const bridge = await given(failing, collecting({ source: ['keyhold'] }))
  const answer = await bridge.putEvents({ Entries: [entry({ DetailType: 'Farewell' }), entry()] })
  expect(answer.FailedEntryCount).toBe(1)
  expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual(['InternalFailure', undefined])
})

test('other operations are unknown', async () => {
  const bridge = await given()
  await expect(bridge.listRules({})).rejects.toMatchObject({ name: 'UnknownOperationException' })
})

test('closing waits for the delivery under way', async () => {
  let release = (): void => {}
  let reached = (): void => {}
  const underWay = new Promise<void>((resolve) => (reached = resolve))
  const slow: Rule = {
    name: 'slow',
    pattern: { source: ['keyhold'] },
    target: () => {
      reached()
      return new Promise((resolve) => (release = resolve))
    },
  }
  const bridge = await given(slow)
  const answer = bridge.putEvents({ Entries: [entry()] })
  await underWay
  const closed = bus?.close()
  release()
  expect((await answer).FailedEntryCount).toBe(0)
  client?.destroy()
  await closed
  bus = undefined
})

test('a pattern that is none keeps the bus from starting', async () => {
  await expect(given(collecting({ source: 'keyhold' }))).rejects.toThrow(TypeError)
})
