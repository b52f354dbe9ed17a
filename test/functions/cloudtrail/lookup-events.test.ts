import {
  CloudTrailClient,
  type Event,
  LookupEventsCommand,
  type LookupEventsCommandInput,
  paginateLookupEvents,
} from '@aws-sdk/client-cloudtrail'
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, describe, expect, test } from 'vitest'
import { givenDisabledKey, givenKey, kmsClient, newAliasName } from '../../support/kms.ts'
import { callKms, send, signed } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenTenantsStack, type User } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())
const { admin } = stack
const kms = kmsClient(admin)
const clientOf = ({ endpoint, region, credentials }: User) =>
  new CloudTrailClient({ endpoint, region, credentials, maxAttempts: 1 })
const cloudTrail = clientOf(admin)

const lookup = (input: LookupEventsCommandInput, client = cloudTrail) =>
  client.send(new LookupEventsCommand(input))
const by = (AttributeKey: string, AttributeValue: string) =>
  ({ LookupAttributes: [{ AttributeKey, AttributeValue }] }) as LookupEventsCommandInput
const recordOf = ({ CloudTrailEvent }: Event) => JSON.parse(CloudTrailEvent ?? '{}')

async function allPages(input: LookupEventsCommandInput, pageSize: number): Promise<Event[]> {
  const found: Event[] = []
  for await (const { Events } of paginateLookupEvents({ client: cloudTrail, pageSize }, input)) {
    expect(Events?.length).toBeLessThanOrEqual(pageSize)
    found.push(...(Events ?? []))
  }
  return found
}

describe('A call is found once it was answered', () => {
  const disabled = givenDisabledKey(kms)
  const key = givenKey(kms)
  const operations: readonly (readonly [string, object])[] = [
    ['Encrypt', { Plaintext: 'eA==' }],
    ['GenerateDataKey', { KeySpec: 'AES_256' }],
    ['GenerateDataKeyWithoutPlaintext', { KeySpec: 'AES_256' }],
    ['DescribeKey', {}],
    ['GetKeyPolicy', {}],
    ['ListKeyPolicies', {}],
    ['ListResourceTags', {}],
    ['GetKeyRotationStatus', {}],
    ['EnableKey', {}],
    ['TagResource', { Tags: [{ TagKey: 'a', TagValue: '' }] }],
    ['UntagResource', { TagKeys: ['a'] }],
    ['CreateAlias', { AliasName: newAliasName() }],
    ['CancelKeyDeletion', {}],
    ['ScheduleKeyDeletion', { PendingWindowInDays: 7 }],
  ]

  test.each(operations)('%s, whether it succeeded or not', async (operation, input) => {
    for (const { keyId, arn } of [await key, await disabled]) {
      const named = operation === 'CreateAlias' ? { TargetKeyId: keyId } : { KeyId: keyId }
      const { status, headers } = await callKms(admin, operation, { ...named, ...input })
      const { Events = [] } = await lookup(by('ResourceName', arn))
      const event = Events.find((each) => recordOf(each).requestID === headers['x-amzn-requestid'])
      expect(event).toMatchObject({
        EventName: operation,
        EventSource: 'kms.amazonaws.com',
        Username: 'admin',
        AccessKeyId: admin.credentials.accessKeyId,
        Resources: [{ ResourceType: 'AWS::KMS::Key', ResourceName: arn }],
      })
      expect(recordOf(event ?? {})).toMatchObject({ eventID: event?.EventId })
      expect('errorCode' in recordOf(event ?? {})).toBe(status !== 200)
    }
  })
})

describe('Events are found by', () => {
  test.for(['EventName', 'EventId', 'ReadOnly', 'Username', 'EventSource', 'AccessKeyId'])(
    '%s',
    async (attribute) => {
      await callKms(admin, 'ListKeys', {})
      const { Events: [event] = [] } = await lookup(by('EventName', 'ListKeys'))
      const value = String(event?.[attribute as keyof Event])
      const { Events = [] } = await lookup(by(attribute, value))
      expect(Events.length).toBeGreaterThan(0)
      for (const each of Events) expect(each[attribute as keyof Event]).toBe(value)
    },
  )

  test('the kind of their resources', async () => {
    await givenDisabledKey(kms)
    const { Events = [] } = await lookup(by('ResourceType', 'AWS::KMS::Key'))
    expect(Events.length).toBeGreaterThan(0)
    for (const { Resources } of Events) expect(Resources).not.toEqual([])
  })

  test('nothing, when the attribute is nowhere', async () => {
    expect((await lookup(by('EventName', 'NoSuchEvent'))).Events).toEqual([])
  })

  test('time', async () => {
    const { Events: [newest] = [] } = await lookup({ MaxResults: 1 })
    const time = newest?.EventTime ?? new Date()
    const later = new Date(time.getTime() + 60_000)
    const earlier = new Date(time.getTime() - 3_600_000)
    expect((await lookup({ StartTime: later })).Events).toEqual([])
    expect((await lookup({ EndTime: earlier })).Events).toEqual([])
    const { Events } = await lookup({ StartTime: time, EndTime: later })
    expect(Events?.length).toBeGreaterThan(0)
  })
})

test('Events come newest first', async () => {
  const { Events = [] } = await lookup({})
  const times = Events.map(({ EventTime }) => Number(EventTime))
  expect(times).toEqual(times.toSorted((one, other) => other - one))
})

test.for([1, 3, 7, 50])('Pages of %i bring every event once', async (pageSize) => {
  const user = await stack.user(admin.account, `pages-of-${pageSize}`)
  for (let count = 0; count < 15; count++) await callKms(user, 'ListKeys', {})
  const found = await allPages(by('Username', `pages-of-${pageSize}`), pageSize)
  expect(found).toHaveLength(15)
  expect(new Set(found.map(({ EventId }) => EventId)).size).toBe(15)
})

test('What is recorded between two pages neither repeats nor hides anything', async () => {
  const user = await stack.user(admin.account, 'between')
  for (let count = 0; count < 6; count++) await callKms(user, 'ListKeys', {})
  const query = { ...by('Username', 'between'), MaxResults: 2 }
  const ids: (string | undefined)[] = []
  for (let NextToken: string | undefined; ; ) {
    const page = await lookup({ ...query, NextToken })
    ids.push(...(page.Events ?? []).map(({ EventId }) => EventId))
    await callKms(user, 'ListKeys', {})
    NextToken = page.NextToken
    if (NextToken === undefined) break
  }
  expect(ids).toHaveLength(6)
  expect(new Set(ids).size).toBe(6)
})

test('Events of objects are no management events', async () => {
  const { endpoint, region, credentials } = admin
  const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  await s3.send(new ListBucketsCommand({}))
  const { Events = [] } = await lookup(by('EventSource', 's3.amazonaws.com'))
  for (const event of Events) expect(recordOf(event).eventCategory).toBe('Management')
})

describe('A tenant', () => {
  test('sees its own events, not those of another', async () => {
    const other = await stack.tenant('444455556666')
    await callKms(other, 'ListKeys', {})
    const { Events = [] } = await lookup({}, clientOf(other))
    expect(Events.length).toBeGreaterThan(0)
    for (const event of Events) {
      expect(recordOf(event).recipientAccountId).toBe('444455556666')
    }
    const found = by('AccessKeyId', other.credentials.accessKeyId)
    expect((await lookup(found)).Events).toEqual([])
  })

  test('cannot use the tokens of another', async () => {
    const other = await stack.tenant('777788889999')
    const { NextToken } = await lookup({ MaxResults: 1 })
    expect(NextToken).toBeTypeOf('string')
    expect(await refusalOf(lookup({ NextToken }, clientOf(other)))).toEqual(
      refused('InvalidNextTokenException', null),
    )
  })

  test('sees the events of a Region in that Region', async () => {
    const abroad = clientOf({ ...admin, region: 'eu-west-1' })
    const { Events = [] } = await lookup(by('EventSource', 'kms.amazonaws.com'), abroad)
    expect(Events).toEqual([])
  })
})

describe('LookupEvents refuses', () => {
  const attempt = (input: LookupEventsCommandInput) => refusalOf(lookup(input))

  test('a user without permission', async () => {
    const user = await stack.user(admin.account, 'nobody')
    expect(await refusalOf(lookup({}, clientOf(user)))).toEqual(
      refused(
        'AccessDeniedException',
        `User: ${user.arn} is not authorized to perform: cloudtrail:LookupEvents because no identity-based policy allows the cloudtrail:LookupEvents action`,
      ),
    )
  })

  test('more than one attribute', async () => {
    const { LookupAttributes: [one] = [] } = by('EventName', 'Encrypt')
    if (one === undefined) throw new Error('There is no attribute.')
    expect((await attempt({ LookupAttributes: [one, one] })).name).toBe(
      'InvalidLookupAttributesException',
    )
  })

  test.for([0, 51])('pages of %i', async (MaxResults) => {
    expect((await attempt({ MaxResults })).name).toBe('InvalidMaxResultsException')
  })

  test('a time that ends before it starts', async () => {
    const [StartTime, EndTime] = [new Date(2000), new Date(1000)]
    expect((await attempt({ StartTime, EndTime })).name).toBe('InvalidTimeRangeException')
  })

  test('a token that is altered, or of another question', async () => {
    const { NextToken = '' } = await lookup({ MaxResults: 1 })
    const invalid = refused('InvalidNextTokenException', null)
    expect(await attempt({ NextToken: `${NextToken}A` })).toEqual(invalid)
    expect(await attempt({ NextToken: 'x' })).toEqual(invalid)
    expect(await attempt({ NextToken: '' })).toEqual(invalid)
    expect(await attempt({ NextToken, ...by('EventName', 'Encrypt') })).toEqual(invalid)
    const changed = NextToken.replace(/^(.{40})./, (_, start) => `${start}_`)
    expect(await attempt({ NextToken: changed })).toEqual(invalid)
  })

  test('an attribute that there is not', async () => {
    expect((await attempt(by('Colour', 'blue'))).name).toBe('ValidationException')
  })

  test('another operation of CloudTrail', async () => {
    const target = 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails'
    const raw = {
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
      body: '{}',
    }
    const headers = await signed(admin, raw, { service: 'cloudtrail' })
    const { status, body } = await send(admin.endpoint, { ...raw, headers })
    expect([status, JSON.parse(body)]).toEqual([400, { __type: 'UnknownOperationException' }])
  })
})

test('There are no insight events', async () => {
  expect((await lookup({ EventCategory: 'insight' })).Events).toEqual([])
})

test('Looking up is recorded itself', async () => {
  const client = clientOf(await stack.user(admin.account, 'watcher'))
  await refusalOf(lookup(by('EventName', 'Decrypt'), client))
  const { Events: [event] = [] } = await lookup(by('Username', 'watcher'))
  expect(recordOf(event ?? {})).toMatchObject({
    eventName: 'LookupEvents',
    eventSource: 'cloudtrail.amazonaws.com',
    requestParameters: {
      lookupAttributes: [{ attributeKey: 'EventName', attributeValue: 'Decrypt' }],
    },
  })
})
