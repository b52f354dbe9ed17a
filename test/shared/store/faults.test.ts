import { createServer } from 'node:net'
import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ConditionFailed, StoreUnavailable } from '../../../shared/store/repositories.ts'
import { openStore } from '../../../shared/store/store.ts'
import { type GivenDynamoDb, givenDynamoDb } from '../../support/dynamodb.ts'
import { type Fault, type FaultyDynamoDb, startFaultyDynamoDb } from './faulty-dynamodb.ts'
import {
  bucketName,
  givenAccessKey,
  givenAccount,
  givenAlias,
  givenBlock,
  givenBucket,
  givenBundle,
  givenKey,
  givenObject,
  givenPart,
  givenParts,
  givenTenant,
  givenUpload,
  keyIdOf,
  region,
} from './given.ts'

/** The SDK waits up to a second after the first time that it is throttled. */
const limits = { attemptMs: 150, totalMs: 1400, attempts: 4 }

let engine: GivenDynamoDb
let faulty: FaultyDynamoDb
let store: ReturnType<typeof openStore>

beforeAll(async () => {
  engine = await givenDynamoDb()
  faulty = await startFaultyDynamoDb(engine.endpoint)
})
afterAll(async () => {
  await faulty?.close()
  await engine?.close()
})
// A client of one's own: what one test's retries cost is not to be missing in the next one.
beforeEach(() => {
  faulty.next()
  store = openStore({ endpoint: faulty.endpoint, limits })
})
afterEach(() => store.close())

const times = (count: number, fault: Fault): Fault[] => Array.from({ length: count }, () => fault)

describe('a read', () => {
  test.each<Fault>(['throttle', 'break', 'deaf', 'mute', 'cut', 'stall', 'hang'])(
    'succeeds after one attempt that ends in %s',
    async (fault) => {
      const account = givenAccount()
      await store.buckets.create(givenBucket(account))
      faulty.next(fault)
      expect(await store.buckets.get(account, bucketName)).toEqual(givenBucket(account))
      expect(faulty.seen()).toHaveLength(2)
    },
  )

  test.each<Fault>(['throttle', 'break', 'deaf', 'cut', 'stall', 'hang'])(
    'ends as unavailable when every attempt ends in %s, with the cause',
    async (fault) => {
      faulty.next(...times(10, fault))
      const failure = await store.buckets.get(givenAccount(), bucketName).catch((error) => error)
      expect(failure).toBeInstanceOf(StoreUnavailable)
      expect(failure.cause).toBeInstanceOf(Error)
      expect(faulty.seen().length).toBeLessThanOrEqual(limits.attempts)
    },
  )

  test('that DynamoDB refuses as wrong is not tried again', async () => {
    faulty.next('refuse')
    const read = store.buckets.get(givenAccount(), bucketName)
    await expect(read).rejects.toThrow(DynamoDBServiceException)
    expect(faulty.seen()).toHaveLength(1)
  })

  test('is tried as often as the limits say', async () => {
    const open = openStore({ endpoint: faulty.endpoint, limits: { ...limits, attempts: 2 } })
    faulty.next(...times(10, 'break'))
    const read = open.buckets.get(givenAccount(), bucketName)
    await expect(read).rejects.toThrow(StoreUnavailable)
    expect(faulty.seen()).toHaveLength(2)
    open.close()
  })

  test.each<Fault>(['hang', 'stall'])(
    'that ends in %s is given up when its whole time is over, whatever an attempt may take',
    async (fault) => {
      const slow = { attemptMs: 3_600_000, totalMs: 100 }
      const open = openStore({ endpoint: faulty.endpoint, limits: slow })
      faulty.next(fault)
      const read = open.buckets.get(givenAccount(), bucketName)
      await expect(read).rejects.toThrow(StoreUnavailable)
      expect(faulty.seen()).toHaveLength(1)
      open.close()
    },
  )

  test('of a store that nobody listens for ends as unavailable', async () => {
    const closed = openStore({ endpoint: 'http://127.0.0.1:1', limits })
    const read = closed.buckets.get(givenAccount(), bucketName)
    await expect(read).rejects.toThrow(StoreUnavailable)
  })

  test('of a store that accepts and stays silent ends as unavailable within its time', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const address = silent.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const open = openStore({ endpoint: `http://127.0.0.1:${port}`, limits })
    const read = open.buckets.get(givenAccount(), bucketName)
    await expect(read).rejects.toThrow(StoreUnavailable)
    open.close()
    silent.close()
  })
})

describe('a write whose answer is lost', () => {
  const lost: Fault[] = ['mute', 'cut', 'stall', 'fail']

  test.each(lost)('counts as done when it was the caller’s own (%s)', async (fault) => {
    const account = givenAccount()
    faulty.next(fault)
    await store.tenants.create(givenTenant(account))
    await store.keys.create(givenBundle(account))
    faulty.next(fault)
    await store.keys.update({ ...givenKey(account), description: 'changed', rev: 2 }, 1)
    const read = await store.keys.get(account, region, keyIdOf(1))
    expect(read?.key).toMatchObject({ description: 'changed', rev: 2 })
  })

  test('does not hide that a like one of somebody else was first', async () => {
    const alias = givenAlias(givenAccount(), 'contended')
    await engine.store.aliases.create(alias)
    faulty.next('mute')
    await expect(store.aliases.create(alias)).rejects.toThrow(ConditionFailed)
  })

  test('counts as done for an appended block, once', async () => {
    const block = givenBlock(givenAccount(), 1)
    faulty.next('pass', 'mute')
    await store.ledger.append(block)
    await expect(store.ledger.append(block)).rejects.toThrow(ConditionFailed)
  })

  test('counts as done for a delete, and still refuses another revision', async () => {
    const alias = givenAlias(givenAccount(), 'leaving')
    await store.aliases.create(alias)
    faulty.next('mute')
    await expect(store.aliases.delete({ ...alias, rev: 2 })).rejects.toThrow(ConditionFailed)
    faulty.next('mute')
    await store.aliases.delete(alias)
    expect(await store.aliases.get(alias.account, region, alias.aliasName)).toBeNull()
  })

  test('never returns the caller’s own object as one whose blobs may go', async () => {
    const object = givenObject(givenAccount(), 'k')
    faulty.next('mute')
    expect(await store.objects.put(object)).toBeNull()
    faulty.next('mute')
    const next = { ...object, versionId: 'version-2', rev: 2 }
    expect(await store.objects.put(next)).toBeNull()
    expect(await store.objects.get(object.account, bucketName, 'k')).toEqual(next)
  })

  test('never returns the caller’s own part as one whose blob may go', async () => {
    const upload = givenUpload(givenAccount())
    faulty.next('fail')
    expect(await store.uploads.putPart(upload, givenPart(1))).toBeNull()
  })

  test('keeps the part table of an object that may have been written', async () => {
    const object = { ...givenObject(givenAccount(), 'k'), parts: givenParts(40) }
    faulty.next('pass', ...times(4, 'mute'))
    await expect(store.objects.put(object, null)).rejects.toThrow(StoreUnavailable)
    expect(await store.objects.get(object.account, bucketName, 'k')).toEqual(object)
  })
})

describe('a write of an object with many parts', () => {
  const many = (rev: number, account = givenAccount()) => ({
    ...givenObject(account, 'k', rev),
    parts: givenParts(40),
  })

  test('has succeeded when what it replaced cannot be tidied away', async () => {
    const object = many(1)
    await store.objects.put(object)
    const next = many(2, object.account)
    // The chunk, the object, and then the old chunks, read in vain.
    faulty.next('pass', 'pass', ...times(4, 'break'))
    expect(await store.objects.put(next)).toBeNull()
    expect(await store.objects.get(object.account, bucketName, 'k')).toEqual(next)
  })

  test('does not touch the index before its part table is written', async () => {
    const object = many(1)
    faulty.next(...times(4, 'break'))
    await expect(store.objects.put(object)).rejects.toThrow(StoreUnavailable)
    expect(await store.objects.get(object.account, bucketName, 'k')).toBeNull()
  })

  test('is read whole when it is replaced between its item and its part table', async () => {
    const object = many(1)
    await store.objects.put(object)
    const next = many(2, object.account)
    faulty.next()
    faulty.onceDone(async () => void (await engine.store.objects.put(next)))
    expect(await store.objects.get(object.account, bucketName, 'k')).toEqual(next)
  })
})

describe('a crash in between', () => {
  test('of making a key leaves no key, and its partition to nobody else', async () => {
    const account = givenAccount()
    faulty.next('pass', 'pass', ...times(4, 'break'))
    await expect(store.keys.create(givenBundle(account))).rejects.toThrow(StoreUnavailable)
    expect(await store.keys.get(account, region, keyIdOf(1))).toBeNull()
    expect((await store.keys.list(account, region, 10, null)).items).toEqual([])
  })

  test('of deleting a key leaves no key, and the next look for due keys finishes it', async () => {
    const account = givenAccount()
    await store.keys.create(givenBundle(account))
    faulty.next('pass', 'pass', ...times(4, 'break'))
    await expect(store.keys.delete(givenKey(account))).rejects.toThrow(StoreUnavailable)
    expect(await store.keys.get(account, region, keyIdOf(1))).toBeNull()
    const again = store.keys.update({ ...givenKey(account), rev: 2 }, 1)
    await expect(again).rejects.toThrow(ConditionFailed)
    await store.keys.dueForDeletion(Date.now(), 10)
    await store.keys.create(givenBundle(account))
  })

  test('of removing an upload leaves it there to be removed again', async () => {
    const upload = givenUpload(givenAccount())
    await store.uploads.create(upload)
    await store.uploads.putPart(upload, givenPart(1))
    faulty.next('pass', 'pass', ...times(4, 'break'))
    await expect(store.uploads.delete(upload)).rejects.toThrow(StoreUnavailable)
    expect(await store.uploads.list(upload.account, bucketName)).toEqual([upload])
  })
})

test('a day is marked before its first block, and again only when that failed', async () => {
  const account = givenAccount()
  faulty.next(...times(4, 'break'))
  await expect(store.ledger.append(givenBlock(account, 1))).rejects.toThrow(StoreUnavailable)
  expect(await engine.store.ledger.days(account, region)).toEqual([])
  await store.ledger.append(givenBlock(account, 1))
  faulty.next()
  await store.ledger.append(givenBlock(account, 2))
  expect(faulty.seen()).toHaveLength(1)
})

test('every read of a table, but not of an index, is strongly consistent', async () => {
  const account = givenAccount()
  faulty.next()
  await store.tenants.create(givenTenant(account))
  await store.tenants.get(account)
  await store.tenants.keys(account)
  await store.tenants.list()
  await store.tenants.principalByName(account, 'admin')
  await store.tenants.accessKey(givenAccessKey(account).accessKeyId)
  await store.keys.get(account, region, keyIdOf(1))
  await store.keys.list(account, region, 10, null)
  await store.aliases.get(account, region, givenAlias(account, 'a').aliasName)
  await store.buckets.get(account, bucketName)
  await store.objects.get(account, bucketName, 'k')
  await store.objects.list(account, bucketName, { prefix: 'k', after: null, limit: 10 })
  await store.uploads.parts(givenUpload(account))
  await store.ledger.days(account, region)
  const reads = faulty.seen().filter(({ operation }) => !operation.startsWith('Put'))
  expect(reads.length).toBeGreaterThanOrEqual(13)
  for (const { input } of reads)
    expect(input.ConsistentRead ?? false).toBe(input.IndexName === undefined)
})

test('a key comes with its policy and material in one query that leaves out its grants', async () => {
  const account = givenAccount()
  await store.keys.create(givenBundle(account))
  const pk = `${account}#${region}#key#${keyIdOf(1)}`
  faulty.next()
  await store.keys.get(account, region, keyIdOf(1))
  expect(faulty.seen().map(({ input }) => input)).toEqual([
    expect.objectContaining({
      ExpressionAttributeNames: { '#hash': 'pk', '#range': 'sk' },
      KeyConditionExpression: '#hash = :hash AND #range >= :key',
      ExpressionAttributeValues: { ':hash': { S: pk }, ':key': { S: 'key' } },
    }),
  ])
})

test('the embedded engine never sees credentials of the environment', async () => {
  faulty.next()
  await store.buckets.get(givenAccount(), bucketName)
  const [request] = faulty.seen()
  expect(request?.headers.authorization).toMatch(/Credential=embedded\//)
  expect(request?.headers).not.toHaveProperty('x-amz-security-token')
})
