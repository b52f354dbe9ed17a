/** What no engine here can be brought to do, with the SDK's client mocked; and what the client sends. */
import {
  ConditionalCheckFailedException,
  InternalServerError,
  ProvisionedThroughputExceededException,
  RequestLimitExceeded,
  ResourceNotFoundException,
  ThrottlingException,
} from '@aws-sdk/client-dynamodb'
import {
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  type PutCommandInput,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConditionFailed, StoreUnavailable } from '../../../shared/store/repositories.ts'
import { openClient, openStore } from '../../../shared/store/store.ts'
import { nobodyChangedSince, nothingIsThere, Table } from '../../../shared/store/table.ts'
import { type GivenDynamoDb, givenDynamoDb } from '../../support/dynamodb.ts'
import { startFaultyDynamoDb } from './faulty-dynamodb.ts'
import { bucketName, givenAccount } from './given.ts'

const place = { pk: 'p', sk: 's' }
const once = { $metadata: { attempts: 1 }, message: 'Said by a test.' }
const twice = { $metadata: { attempts: 2 }, message: 'Said by a test.' }

describe('over a client that is told what to answer', () => {
  let sdk: ReturnType<typeof mockClient>
  const table = new Table(openClient({ endpoint: 'http://127.0.0.1:1' }), 'keyhold-keys')
  beforeEach(() => {
    sdk = mockClient(DynamoDBDocumentClient)
  })
  afterEach(() => sdk.restore())

  test.each([
    new ProvisionedThroughputExceededException(once),
    new RequestLimitExceeded(once),
    new ThrottlingException(once),
    new InternalServerError(once),
    Object.assign(new Error('No answer.'), { name: 'TimeoutError', $metadata: { attempts: 4 } }),
    Object.assign(new Error('No credentials.'), { name: 'CredentialsProviderError' }),
  ])('$name after all attempts is a store that is unavailable, with its cause', async (error) => {
    sdk.onAnyCommand().rejects(error)
    const calls = [
      table.get(place),
      table.put(place, {}),
      table.put(place, {}, nothingIsThere),
      table.delete(place),
      table.query({ partition: 'p' }),
      table.deleteAll([place]),
    ]
    for (const call of calls) {
      const failure = await call.catch((reason: unknown) => reason)
      expect(failure).toBeInstanceOf(StoreUnavailable)
      expect(failure).toHaveProperty('cause', error)
    }
  })

  test.each([new ResourceNotFoundException(once), new TypeError('A mistake of the caller.')])(
    '$name is what it is: trying again would not help',
    async (error) => {
      sdk.onAnyCommand().rejects(error)
      await expect(table.get(place)).rejects.toBe(error)
    },
  )

  test('a broken condition of a first attempt is believed without a second look', async () => {
    sdk.on(PutCommand).rejects(new ConditionalCheckFailedException(once))
    sdk.on(DeleteCommand).rejects(new ConditionalCheckFailedException(once))
    await expect(table.put(place, {}, nothingIsThere)).rejects.toThrow(ConditionFailed)
    await expect(table.delete(place, nobodyChangedSince(1))).rejects.toThrow(ConditionFailed)
    expect(sdk.commandCalls(GetCommand)).toHaveLength(0)
  })

  test('a put whose later attempt meets its own first one has succeeded', async () => {
    let written: PutCommandInput['Item']
    sdk.on(PutCommand).callsFake(({ Item }: PutCommandInput) => {
      written = Item
      throw new ConditionalCheckFailedException(twice)
    })
    sdk.on(GetCommand).callsFake(() => ({ Item: written }))
    expect(await table.put(place, {}, nothingIsThere)).toBeNull()
  })

  test('a put whose later attempt meets another’s is refused, though all but its stamp is alike', async () => {
    sdk.on(PutCommand).rejects(new ConditionalCheckFailedException(twice))
    sdk.on(GetCommand).resolves({ Item: { ...place, stamp: 'another.1' } })
    await expect(table.put(place, {}, nothingIsThere)).rejects.toThrow(ConditionFailed)
  })

  test('no two puts have the same stamp', async () => {
    sdk.on(PutCommand).resolves({})
    await table.put(place, {})
    await table.put(place, {})
    const [first, second] = sdk.commandCalls(PutCommand).map(({ args }) => args[0].input.Item)
    expect(first?.stamp).not.toBe(second?.stamp)
  })

  test('a delete whose later attempt finds nothing has succeeded', async () => {
    sdk.on(DeleteCommand).rejects(new ConditionalCheckFailedException(twice))
    sdk.on(GetCommand).resolves({})
    expect(await table.delete(place, nobodyChangedSince(1))).toBeNull()
  })

  test('a delete whose later attempt finds the item is refused', async () => {
    sdk.on(DeleteCommand).rejects(new ConditionalCheckFailedException(twice))
    sdk.on(GetCommand).resolves({ Item: place })
    await expect(table.delete(place, nobodyChangedSince(1))).rejects.toThrow(ConditionFailed)
  })

  const deletion = (sk: string) => ({ DeleteRequest: { Key: { pk: 'p', sk } } })

  test('of a batch only what was left unprocessed is sent again', async () => {
    const left = { 'keyhold-keys': [deletion('2')] }
    sdk.on(BatchWriteCommand).resolvesOnce({ UnprocessedItems: left }).resolves({})
    await table.deleteAll(['1', '2', '3'].map((sk) => ({ pk: 'p', sk })))
    const sent = sdk.commandCalls(BatchWriteCommand).map(({ args }) => args[0].input.RequestItems)
    const all = { 'keyhold-keys': ['1', '2', '3'].map(deletion) }
    expect(sent).toEqual([all, left])
  })

  test('a batch that is never processed whole ends as unavailable', async () => {
    const UnprocessedItems = { 'keyhold-keys': [deletion('s')] }
    sdk.on(BatchWriteCommand).resolves({ UnprocessedItems })
    await expect(table.deleteAll([place])).rejects.toThrow(StoreUnavailable)
  })

  test('pages that DynamoDB cuts short are put together, up to the limit and one more', async () => {
    const item = (sk: string) => ({ pk: 'p', sk })
    sdk
      .on(QueryCommand)
      .resolvesOnce({ Items: [item('1')], LastEvaluatedKey: item('1') })
      .resolvesOnce({ Items: [], LastEvaluatedKey: item('2') })
      .resolvesOnce({ Items: [item('3'), item('4')], LastEvaluatedKey: item('4') })
    const rows = await table.query({ partition: 'p', limit: 2 })
    expect(rows).toEqual({ items: [item('1'), item('3')], more: true })
    const sent = sdk.commandCalls(QueryCommand).map(({ args }) => args[0].input)
    expect(sent.map(({ ExclusiveStartKey }) => ExclusiveStartKey)).toEqual([
      undefined,
      item('1'),
      item('2'),
    ])
    expect(sent.map(({ Limit }) => Limit)).toEqual([3, 2, 2])
  })
})

describe('in an environment of AWS', () => {
  let engine: GivenDynamoDb
  let wire: Awaited<ReturnType<typeof startFaultyDynamoDb>>
  beforeEach(async () => {
    engine = await givenDynamoDb()
    wire = await startFaultyDynamoDb(engine.endpoint)
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')
    vi.stubEnv('AWS_SESSION_TOKEN', 'of-the-environment')
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent')
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await wire.close()
    await engine.close()
  })

  async function headersOfRead(options: Parameters<typeof openStore>[0]) {
    const store = openStore(options)
    await store.buckets.get(givenAccount(), bucketName)
    store.close()
    return wire.seen()[0]?.headers
  }

  test('requests are signed with its credentials, for the Region that is asked for', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', wire.endpoint)
    const headers = await headersOfRead({ region: 'eu-central-1' })
    expect(headers?.authorization).toMatch(
      /Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/eu-central-1\/dynamodb\/aws4_request/,
    )
    expect(headers?.authorization).toMatch(/SignedHeaders=[^,]*host/)
    expect(headers?.['x-amz-security-token']).toBe('of-the-environment')
  })

  test('the embedded engine sees neither its credentials nor its wishes', async () => {
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true')
    vi.stubEnv('AWS_USE_DUALSTACK_ENDPOINT', 'true')
    vi.stubEnv('AWS_RETRY_MODE', 'adaptive')
    vi.stubEnv('KEYHOLD_DYNAMODB_ENDPOINT', wire.endpoint)
    const headers = await headersOfRead({})
    expect(headers?.authorization).toMatch(/Credential=embedded\//)
    expect(headers).not.toHaveProperty('x-amz-security-token')
  })

  test('without credentials the store is unavailable', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
      vi.stubEnv(name, undefined)
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', wire.endpoint)
    const read = headersOfRead({ region: 'eu-central-1' })
    await expect(read).rejects.toThrow(StoreUnavailable)
    expect(wire.seen()).toEqual([])
  })

  test('without an endpoint and a Region there is no store', () => {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'KEYHOLD_DYNAMODB_ENDPOINT'])
      vi.stubEnv(name, undefined)
    expect(() => openStore()).toThrow(/AWS_REGION/)
  })
})

test('a value that DynamoDB cannot hold is the caller’s mistake, and nothing is sent', async () => {
  const table = new Table(openClient({ endpoint: 'http://127.0.0.1:1' }), 'keyhold-keys')
  const failure = await table.put(place, { size: Number.NaN }).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(Error)
  expect(failure).not.toBeInstanceOf(StoreUnavailable)
})
