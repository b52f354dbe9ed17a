import { execFileSync } from 'node:child_process'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyRotationCommand,
  ListGrantsCommand,
  ListKeysCommand,
  ListRetirableGrantsCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { fencePolicy } from '../../infra/tenant-fence.ts'
import { StoreClient } from '../../shared/store/client.ts'
import { callKeyhold } from '../support/keyhold-client.ts'
import { kmsClient } from '../support/kms.ts'
import { s3Of } from '../support/sessions.ts'
import { givenTenantsStack, type TenantsStack } from '../support/tenants-stack.ts'
import { givenOtherTenant } from './foreign-things.ts'

interface Asked {
  readonly action: string
  readonly table: string
  readonly index: string | null
  readonly leadingKeys: readonly string[]
}

type Input = Readonly<Record<string, unknown>>

/** What DynamoDB would compare with the policy. */
function askedOf(name: string, input: Input): Asked {
  const action = name
    .replace(/Command$/, '')
    .replace(/^(Put|Get|Delete)$/, '$1Item')
    .replace(/^BatchWrite$/, 'BatchWriteItem')
    .replace(/^BatchGet$/, 'BatchGetItem')
  const batches = Object.entries((input.RequestItems ?? {}) as Readonly<Record<string, unknown>>)
  const [batch] = batches
  const table = (input.TableName as string | undefined) ?? batch?.[0] ?? ''
  return {
    action: `dynamodb:${action}`,
    table,
    index: (input.IndexName as string | undefined) ?? null,
    leadingKeys: keysOf(input, batch?.[1]),
  }
}

function keysOf(input: Input, batch: unknown): readonly string[] {
  if (batch !== undefined) {
    const found = [...JSON.stringify(batch).matchAll(/"pk":"([^"]*)"/g)]
    return found.map(([, key = '']) => key)
  }
  const place = (input.Key ?? input.Item) as { readonly pk?: string } | undefined
  if (place?.pk !== undefined) return [place.pk]
  const values = (input.ExpressionAttributeValues ?? {}) as Readonly<Record<string, unknown>>
  const name = /#?\w+ = (:\w+)/.exec(String(input.KeyConditionExpression))?.[1] ?? ''
  return typeof values[name] === 'string' ? [values[name]] : []
}

let stack: TenantsStack
const asked: Asked[] = []
beforeAll(async () => {
  process.env.KEYHOLD_CACHE_SECONDS = '0'
  stack = await givenTenantsStack()
  const send = StoreClient.prototype.send
  vi.spyOn(StoreClient.prototype, 'send').mockImplementation(function (this: StoreClient, ...args) {
    asked.push(askedOf(args[0].constructor.name, args[0].input as Input))
    return Reflect.apply(send, this, args)
  } as typeof send)
  const { object, bucket } = await givenOtherTenant(stack)
  const kms = kmsClient(stack.admin)
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId
  await kms.send(new ListKeysCommand({}))
  await kms.send(new DescribeKeyCommand({ KeyId }))
  await kms.send(new ListGrantsCommand({ KeyId }))
  await kms.send(new ListRetirableGrantsCommand({ RetiringPrincipal: stack.admin.arn }))
  await kms.send(new EnableKeyRotationCommand({ KeyId }))
  await kms.send(new DisableKeyCommand({ KeyId }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId }))
  const s3 = s3Of(stack.admin)
  await s3.send(new GetObjectCommand({ Bucket: bucket, Key: object }))
  await s3.send(new ListObjectsV2Command({ Bucket: bucket, Delimiter: '-' }))
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: object }))
  for (const operation of ['ListUsers', 'ListRoles', 'ListPolicies']) {
    await callKeyhold(stack.admin, operation)
  }
}, 60_000)
afterAll(() => stack.close())

const TABLES = 'arn:aws:dynamodb:eu-central-1:999988887777:table/keyhold-'

/** Whether the policy allows it, as the statements say: by action, table or index, and every leading key. */
function allows(account: string, { action, table, index, leadingKeys }: Asked): boolean {
  const arn = `${TABLES}${table.replace(/^keyhold-/, '')}${index === null ? '' : `/index/${index}`}`
  const like = (pattern: string, text: string) =>
    pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : pattern === text
  return fencePolicy(account, TABLES).Statement.some(
    ({ Action, Resource, Condition }) =>
      Action.includes(action) &&
      Resource.some((pattern) => like(pattern, arn)) &&
      leadingKeys.length > 0 &&
      leadingKeys.every((key) =>
        Condition['ForAllValues:StringLike']['dynamodb:LeadingKeys'].some((pattern) =>
          like(pattern, key),
        ),
      ),
  )
}

/**
 * The local stack relays the records of every tenant from the same process; deployed, that is a
 * function with a role of its own. It asks which tenants there are, and reads the operator's ledger.
 */
const isRelay = ({ table, index, leadingKeys }: Asked): boolean => {
  const ofOperator = leadingKeys.every((key) => key.startsWith(`${stack.operator.account}#`))
  const isList = index === 'by-owner' && leadingKeys.join() === 'tenants'
  return (
    isList ||
    (ofOperator && (table === 'keyhold-ledger' || leadingKeys[0]?.endsWith('#tenant') === true))
  )
}

describe('the calls of a tenant', () => {
  test('never read a whole table', () => {
    const actions = new Set(asked.map(({ action }) => action))
    expect(asked.length).toBeGreaterThan(100)
    expect([...actions].filter((action) => /Scan|PartiQL|Execute|Transact/.test(action))).toEqual(
      [],
    )
  })

  test('reach only what the policy of its fence allows', () => {
    const outside = asked.filter((each) => !allows(stack.admin.account, each) && !isRelay(each))
    expect([...new Set(outside.map((each) => JSON.stringify(each)))]).toEqual([])
  })

  test("would not get through another tenant's fence", () => {
    const others = asked.filter(({ leadingKeys }) =>
      leadingKeys.every((key) => key.startsWith(stack.admin.account)),
    )
    expect(others.length).toBeGreaterThan(100)
    expect(others.filter((each) => allows('444455556666', each))).toEqual([])
  })
})

test('the policy is printed by a command, and is one that parses', () => {
  const printed = execFileSync(process.execPath, [
    'infra/tenant-fence.ts',
    '--account',
    '111122223333',
    '--tables',
    TABLES,
  ])
  expect(JSON.parse(printed.toString())).toEqual(fencePolicy('111122223333', TABLES))
  expect(() => fencePolicy('x', TABLES)).toThrow('x is no account id.')
})
