import {
  DeleteCommand,
  GetCommand,
  NumberValue,
  PutCommand,
  type PutCommandInput,
} from '@aws-sdk/lib-dynamodb'
import { expect, test } from 'vitest'
import { RowMalformed, RowMisplaced } from '../../../shared/store/repositories.ts'
import type { Given } from './contract.ts'
import {
  bucketName,
  DAY_START,
  givenAccessKey,
  givenAccount,
  givenAlias,
  givenBlock,
  givenBucket,
  givenBundle,
  givenObject,
  givenPart,
  givenParts,
  givenPrincipal,
  givenTenant,
  givenTenantKey,
  givenUpload,
  keyIdOf,
  otherRegion,
  region,
} from './given.ts'

type Place = readonly [pk: string, sk: string]
type Row = NonNullable<PutCommandInput['Item']>

export function misplacedContract(given: Given): void {
  const store = () => given.store()

  async function rowAt(table: string, [pk, sk]: Place): Promise<Row> {
    const get = new GetCommand({ TableName: `keyhold-${table}`, Key: { pk, sk } })
    const { Item } = await given.client().send(get)
    if (Item === undefined) throw new Error(`Nothing lies at ${pk} ${sk}.`)
    return Item
  }

  async function put(table: string, row: Row, [pk, sk]: Place): Promise<void> {
    const Item = { ...row, pk, sk }
    await given.client().send(new PutCommand({ TableName: `keyhold-${table}`, Item }))
  }

  const copy = async (table: string, from: Place, to: Place): Promise<void> =>
    put(table, await rowAt(table, from), to)

  const partition = (account: string, number: number, of: string = region) =>
    `${account}#${of}#key#${keyIdOf(number)}`

  test.each(['key', 'policy', 'material#00000001'])(
    'the %s of a key is refused under another key, Region or tenant',
    async (sk) => {
      const [mine, other] = [givenAccount(), givenAccount()]
      await store().keys.create(givenBundle(mine))
      await store().keys.create(givenBundle(mine, keyIdOf(2)))
      await store().keys.create(givenBundle(other))
      await copy('keys', [partition(mine, 1), sk], [partition(mine, 2), sk])
      await copy('keys', [partition(mine, 1), sk], [partition(other, 1), sk])
      const read = (account: typeof mine, number: number) =>
        store().keys.get(account, region, keyIdOf(number))
      await expect(read(mine, 2)).rejects.toThrow(RowMisplaced)
      await expect(read(other, 1)).rejects.toThrow(RowMisplaced)
      for (const row of ['key', 'policy', 'material#00000001'])
        await copy('keys', [partition(mine, 1), row], [partition(mine, 1, otherRegion), row])
      const elsewhere = store().keys.get(mine, otherRegion, keyIdOf(1))
      await expect(elsewhere).rejects.toThrow(RowMisplaced)
    },
  )

  test('material is refused under another number of its own key', async () => {
    const account = givenAccount()
    await store().keys.create(givenBundle(account))
    const pk = partition(account, 1)
    await copy('keys', [pk, 'material#00000001'], [pk, 'material#00000002'])
    const read = store().keys.get(account, region, keyIdOf(1))
    await expect(read).rejects.toThrow(RowMisplaced)
  })

  test('a copied key does not get into the listing of the tenant it was copied from', async () => {
    const [mine, other] = [givenAccount(), givenAccount()]
    await store().keys.create(givenBundle(mine))
    await copy('keys', [partition(mine, 1), 'key'], [partition(other, 1), 'key'])
    await expect(store().keys.list(mine, region, 10, null)).rejects.toThrow(RowMisplaced)
  })

  test('an alias is refused under another name or tenant', async () => {
    const [mine, other] = [givenAccount(), givenAccount()]
    const alias = givenAlias(mine, 'a')
    await store().aliases.create(alias)
    const from: Place = [`${mine}#${region}#alias#alias/a`, 'alias']
    await copy('keys', from, [`${mine}#${region}#alias#alias/b`, 'alias'])
    await copy('keys', from, [`${other}#${region}#alias#alias/a`, 'alias'])
    const { aliasName } = givenAlias(mine, 'b')
    await expect(store().aliases.get(mine, region, aliasName)).rejects.toThrow(RowMisplaced)
    const stolen = store().aliases.get(other, region, alias.aliasName)
    await expect(stolen).rejects.toThrow(RowMisplaced)
    await expect(store().aliases.list(mine, region, 10, null)).rejects.toThrow(RowMisplaced)
  })

  test('a tenant, its keys, its principals and access keys are refused under another name', async () => {
    const [mine, other] = [givenAccount(), givenAccount()]
    const principal = givenPrincipal(mine)
    await store().tenants.create(givenTenant(mine))
    await store().tenants.addKey(givenTenantKey(mine))
    await store().tenants.createPrincipal(principal)
    await store().tenants.putAccessKey(givenAccessKey(mine))
    const id = principal.principalId
    for (const [pk, sk] of [
      ['#tenant', 'tenant'],
      ['#tenant', 'tenant-key#00000001'],
      [`#principal#${id}`, 'principal'],
      ['#principal-name#admin', 'principal-name'],
    ] as const)
      await copy('tenants', [mine + pk, sk], [other + pk, sk])
    const { accessKeyId } = givenAccessKey(other)
    const accessKey = (of: string): Place => [`access-key#${of}`, 'access-key']
    await copy('tenants', accessKey(givenAccessKey(mine).accessKeyId), accessKey(accessKeyId))
    await expect(store().tenants.get(other)).rejects.toThrow(RowMisplaced)
    await expect(store().tenants.keys(other)).rejects.toThrow(RowMisplaced)
    await expect(store().tenants.principal(other, id)).rejects.toThrow(RowMisplaced)
    await expect(store().tenants.principalByName(other, 'admin')).rejects.toThrow(RowMisplaced)
    await expect(store().tenants.accessKey(accessKeyId)).rejects.toThrow(RowMisplaced)
    const Key = { pk: `${other}#tenant`, sk: 'tenant' }
    await given.client().send(new DeleteCommand({ TableName: 'keyhold-tenants', Key }))
  })

  test('a block of the ledger is refused in another day, place or tenant', async () => {
    const [mine, other] = [givenAccount(), givenAccount()]
    await store().ledger.append(givenBlock(mine, 1))
    const sk = `${String(DAY_START + 1).padStart(15, '0')}#shard-a#000000000001`
    const from: Place = [`${mine}#${region}#ledger#2026-11-23`, sk]
    await copy('ledger', from, [`${mine}#${region}#ledger#2026-11-24`, sk])
    await copy('ledger', from, [`${other}#${region}#ledger#2026-11-23`, sk])
    const options = { newestFirst: false, limit: 10, after: null }
    const read = (account: typeof mine, day: string) =>
      store().ledger.blocks(account, region, day, options)
    await expect(read(mine, '2026-11-24')).rejects.toThrow(RowMisplaced)
    await expect(read(other, '2026-11-23')).rejects.toThrow(RowMisplaced)
    expect((await read(mine, '2026-11-23')).items).toHaveLength(1)
  })

  test('buckets and objects are refused under another name or tenant', async () => {
    const [mine, other] = [givenAccount(), givenAccount()]
    await store().buckets.create(givenBucket(mine))
    await store().objects.put(givenObject(mine, 'k'))
    const objects = (account: string) => `${account}#bucket#${bucketName}#objects`
    await copy('objects', [`${mine}#buckets`, bucketName], [`${other}#buckets`, bucketName])
    await copy('objects', [objects(mine), 'k'], [objects(mine), 'l'])
    await copy('objects', [objects(mine), 'k'], [objects(other), 'k'])
    const list = { prefix: '', after: null, limit: 10 }
    const read = (account: typeof mine, key: string) =>
      store().objects.get(account, bucketName, key)
    await expect(store().buckets.get(other, bucketName)).rejects.toThrow(RowMisplaced)
    await expect(read(mine, 'l')).rejects.toThrow(RowMisplaced)
    await expect(read(other, 'k')).rejects.toThrow(RowMisplaced)
    await expect(store().objects.list(mine, bucketName, list)).rejects.toThrow(RowMisplaced)
  })

  test('a chunk of one object is refused as a chunk of another', async () => {
    const account = givenAccount()
    for (const key of ['k', 'l'])
      await store().objects.put({ ...givenObject(account, key), parts: givenParts(40) })
    const objects = `${account}#bucket#${bucketName}#objects`
    const setOf = async (key: string): Promise<string> => {
      const { partSet } = await rowAt('objects', [objects, key])
      return `${partSet}#00000000`
    }
    const chunks = `${account}#bucket#${bucketName}#parts`
    await copy('objects', [chunks, await setOf('k')], [chunks, await setOf('l')])
    const read = store().objects.get(account, bucketName, 'l')
    await expect(read).rejects.toThrow(RowMisplaced)
  })

  test('uploads and parts are refused under another name', async () => {
    const account = givenAccount()
    const [one, two] = [givenUpload(account), givenUpload(account, 'upload-2')]
    await store().uploads.create(one)
    await store().uploads.putPart(one, givenPart(1))
    const bucket = `${account}#bucket#${bucketName}`
    await copy('objects', [`${bucket}#uploads`, 'upload-1'], [`${bucket}#uploads`, 'upload-2'])
    const parts = (id: string): Place => [`${bucket}#upload#${id}`, '00000001']
    await copy('objects', parts('upload-1'), parts('upload-2'))
    const read = store().uploads.get(account, bucketName, 'upload-2')
    await expect(read).rejects.toThrow(RowMisplaced)
    await expect(store().uploads.parts(two)).rejects.toThrow(RowMisplaced)
  })

  test('a row without one of its attributes, or with one of another type, is refused', async () => {
    const account = givenAccount()
    await store().buckets.create(givenBucket(account))
    const place: Place = [`${account}#buckets`, bucketName]
    const { createdAt, ...without } = await rowAt('objects', place)
    const read = () => store().buckets.get(account, bucketName)
    for (const spoiled of [
      without,
      { ...without, createdAt: '1' },
      { ...without, createdAt: 1.5 },
      { ...without, createdAt: NumberValue.from('9007199254740993') },
      { ...without, createdAt: NumberValue.from('9007199254740993.5') },
      { ...without, createdAt: null },
      { ...without, createdAt: [createdAt] },
      { ...without, createdAt: { createdAt } },
      { ...without, createdAt: new Set([createdAt]) },
      { ...without, createdAt: Buffer.from('1') },
      { ...without, createdAt, region: 'nowhere' },
    ]) {
      await put('objects', spoiled, place)
      await expect(read()).rejects.toThrow(RowMalformed)
    }
  })

  test('rows of tenants and users from before they had all that they have now are read', async () => {
    const account = givenAccount()
    const user = givenPrincipal(account)
    await store().tenants.create(givenTenant(account))
    await store().tenants.createPrincipal(user)
    const without = async (place: Place, names: readonly string[]) => {
      const row = await rowAt('tenants', place)
      for (const name of names) delete row[name]
      await put('tenants', row, place)
    }
    await without([`${account}#tenant`, 'tenant'], ['kind', 'quotas'])
    await without(
      [`${account}#principal#${user.principalId}`, 'principal'],
      ['attached', 'tags', 'sessionsValidFrom'],
    )
    expect(await store().tenants.get(account)).toEqual(givenTenant(account))
    expect(await store().tenants.principal(account, user.principalId)).toEqual(user)
  })
}
