/**
 * Whoever can write to the database can move rows about. A row counts only in the place that it was
 * written for: verbatim elsewhere it is not read, and with its fields made to fit, what was wrapped
 * for its old place opens nothing.
 */
import { DeleteCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StoreClient } from '../../shared/store/client.ts'
import { openClient } from '../../shared/store/store.ts'
import { TABLES, type TableName } from '../../shared/store/tables.ts'
import { callKeyhold } from '../support/keyhold-client.ts'
import { callKms } from '../support/raw-call.ts'
import { sendRaw } from '../support/s3.ts'
import { givenTenantsStack, type TenantsStack, type User } from '../support/tenants-stack.ts'
import { givenOtherTenant, type OtherTenant } from './foreign-things.ts'

type Row = Readonly<Record<string, unknown>> & { readonly pk: string; readonly sk: string }
interface Placed {
  readonly table: TableName
  readonly row: Row
}

const THIEF = '444455556666'
let stack: TenantsStack
let theirs: OtherTenant
let thief: User
let rows: readonly Placed[]
let client: StoreClient

beforeAll(async () => {
  process.env.KEYHOLD_CACHE_SECONDS = '0'
  process.env.KEYHOLD_LOG_LEVEL ??= 'silent' // what fails here is meant to
  stack = await givenTenantsStack()
  client = openClient()
  theirs = await givenOtherTenant(stack)
  thief = await stack.tenant(THIEF)
  rows = (await allRows()).filter(({ row }) => row.pk.includes(stack.admin.account))
}, 60_000)
afterAll(async () => {
  client.close()
  await stack.close()
})

async function allRows(): Promise<readonly Placed[]> {
  const found: Placed[] = []
  for (const table of Object.keys(TABLES) as TableName[]) {
    const { Items = [] } = await client.send(new ScanCommand({ TableName: `keyhold-${table}` }))
    found.push(...Items.map((item) => ({ table, row: item as Row })))
  }
  return found
}

/** What kind of row it is, by its place without names and ids. */
const kindOf = ({ table, row }: Placed): string => {
  const partition = row.pk
    .split('#')
    .filter((part) => /^[a-z][a-z-]+$/.test(part) && !part.startsWith('mark-'))
  const sort = /^[a-z][a-z-]*/.exec(row.sk)?.[0] ?? ''
  const named = [
    'key',
    'policy',
    'alias',
    'grant',
    'material',
    'tenant',
    'tenant-key',
    'principal',
    'principal-name',
    'custom-key-stores',
    'relay',
    'day',
    'rotation',
  ]
  return [
    table,
    ...partition,
    ...(named.includes(sort.replace(/-$/, '')) ? [sort.replace(/-$/, '')] : []),
  ].join(' ')
}

const moved = (value: string): string => value.replaceAll(stack.admin.account, THIEF)

/** The same fields under the thief's account. */
const verbatim = ({ row }: Placed): Row => ({ ...row, pk: moved(row.pk), sk: moved(row.sk) })
/** And every field that names the account changed with it. */
const fitted = ({ row }: Placed): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'string' ? moved(value) : value,
    ]),
  ) as Row

const put = ({ table }: Placed, Item: Row) =>
  client.send(new PutCommand({ TableName: `keyhold-${table}`, Item }))
const remove = ({ table }: Placed, { pk, sk }: Row) =>
  client.send(new DeleteCommand({ TableName: `keyhold-${table}`, Key: { pk, sk } }))

/** Everything that the thief could ask of what it put there. @returns all answers */
async function asked(): Promise<
  readonly { readonly what: string; readonly status: number; readonly body: string }[]
> {
  const value = (kind: string): string =>
    moved(theirs.things.find((thing) => thing.kind === kind)?.value ?? '')
  const blob = theirs.things.find(({ kind }) => kind === 'ciphertext blob')?.value
  const KeyId = value('key id')
  return Promise.all([
    ...[
      ['DescribeKey', { KeyId }],
      ['Encrypt', { KeyId, Plaintext: 'eA==' }],
      ['GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
      ['Decrypt', { KeyId, CiphertextBlob: blob }],
      ['Decrypt', { CiphertextBlob: blob }],
      ['GetKeyPolicy', { KeyId }],
      ['ListGrants', { KeyId }],
      ['ListResourceTags', { KeyId }],
      ['ListAliases', { KeyId }],
      ['Encrypt', { KeyId: value('alias name'), Plaintext: 'eA==' }],
    ].map(async ([what, input]) => {
      const { status, body } = await callKms(thief, what as string, input)
      return { what: what as string, status, body }
    }),
    ...[`/${theirs.bucket}/${theirs.object}`, `/${theirs.bucket}`].map(async (path) => {
      const to = { ...thief, account: THIEF, dataDir: '' } as never
      const { status, body } = await sendRaw(to, { method: 'GET', path })
      return { what: `GET ${path}`, status, body: body.toString() }
    }),
    ...[
      ['GetUser', { UserName: value('user name') }],
      ['GetRole', { RoleName: value('role name') }],
      ['ListAccessKeys', { UserName: value('user name') }],
    ].map(async ([what, input]) => {
      const { status, body } = await callKeyhold(thief, what as string, input as object)
      return { what: what as string, status, body: JSON.stringify(body) }
    }),
  ])
}

const content = (): string => theirs.marks.find((mark) => mark.startsWith('mark-content')) ?? ''

test('there are rows of every kind', () => {
  expect([...new Set(rows.map(kindOf))].toSorted()).toMatchInlineSnapshot(`
    [
      "keys alias alias",
      "keys key grant",
      "keys key key",
      "keys key material",
      "keys key policy",
      "ledger ledger",
      "ledger ledger day",
      "objects bucket objects",
      "objects bucket upload",
      "objects bucket uploads",
      "objects buckets",
      "tenants principal principal",
      "tenants principal-name admin principal-name",
      "tenants principal-name principal-name",
      "tenants role-name principal-name",
      "tenants tenant tenant",
      "tenants tenant tenant-key",
    ]
  `)
})

describe('rows that are copied to another tenant', () => {
  test('verbatim are refused when they are read', async () => {
    const before = new Map(
      (await asked()).map(({ what, status }, index) => [`${index} ${what}`, status]),
    )
    for (const placed of rows) {
      if (placed.table === 'ledger' || placed.row.sk.startsWith('tenant')) continue
      const row = verbatim(placed)
      await put(placed, row)
      const answers = await asked()
      await remove(placed, row)
      const opened = answers.filter(
        ({ what, status }, index) => status === 200 && before.get(`${index} ${what}`) !== 200,
      )
      expect([kindOf(placed), opened]).toEqual([kindOf(placed), []])
      expect(answers.filter(({ body }) => body.includes('mark-'.concat('content')))).toEqual([])
    }
  }, 60_000)

  test('with every field made to fit, all together, open nothing', async () => {
    const stolen = rows.filter(
      ({ table, row }) => table !== 'ledger' && !row.sk.startsWith('tenant'),
    )
    for (const placed of stolen) await put(placed, fitted(placed))
    const answers = await asked()
    for (const placed of stolen) await remove(placed, fitted(placed))
    const uses = answers.filter(({ what }) =>
      /^(Encrypt|Decrypt|GenerateDataKey|GET .*\/.*\/)/.test(what),
    )
    expect(uses.length).toBeGreaterThanOrEqual(6)
    expect(uses.filter(({ status }) => status === 200)).toEqual([])
    expect(answers.filter(({ body }) => body.includes(content()))).toEqual([])
  })

  test("with the tenant's own keys too, open nothing either", async () => {
    const stolen = rows.filter(({ table, row }) => table !== 'ledger' && row.sk !== 'tenant')
    const { Items = [] } = await client.send(new ScanCommand({ TableName: 'keyhold-tenants' }))
    for (const placed of stolen) await put(placed, fitted(placed))
    const answers = await asked()
    for (const placed of stolen) await remove(placed, fitted(placed))
    for (const Item of Items)
      await client.send(new PutCommand({ TableName: 'keyhold-tenants', Item }))
    const uses = answers.filter(({ what }) =>
      /^(Encrypt|Decrypt|GenerateDataKey|GET .*\/.*\/)/.test(what),
    )
    expect(uses.filter(({ status }) => status === 200)).toEqual([])
    expect(answers.filter(({ body }) => body.includes(content()))).toEqual([])
  })
})

test('an access key row under another id signs for nobody', async () => {
  const all = await allRows()
  const keyOf = (user: { credentials: { accessKeyId: string } }) =>
    all.find(({ row }) => row.pk === `access-key#${user.credentials.accessKeyId}`)
  const [mine, other] = [keyOf(thief), keyOf(stack.admin)]
  if (mine === undefined || other === undefined) throw new Error('No access keys.')
  for (const row of [
    { ...mine.row, pk: other.row.pk }, // the thief's secret for the other's id
    { ...mine.row, pk: other.row.pk, accessKeyId: other.row.accessKeyId },
    { ...other.row, secret: mine.row.secret, wrappedSecret: mine.row.wrappedSecret },
  ]) {
    const clean = Object.fromEntries(
      Object.entries(row).filter(([, value]) => value !== undefined),
    ) as Row
    await put(other, clean)
    const as = {
      ...thief,
      credentials: { ...thief.credentials, accessKeyId: stack.admin.credentials.accessKeyId },
    }
    const { status, body } = await callKms(as, 'ListKeys', {})
    expect([status, body.includes('"Keys"')]).toEqual([expect.any(Number), false])
    expect(status).not.toBe(200)
  }
  await put(other, other.row)
  expect((await callKms(stack.admin, 'ListKeys', {})).status).toBe(200)
})
