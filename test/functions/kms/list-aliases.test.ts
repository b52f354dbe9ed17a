import {
  ListAliasesCommand,
  type ListAliasesCommandInput,
  paginateListAliases,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { givenAlias, givenKey, kmsClient } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const key = await givenKey(kms)
const names: string[] = []
for (let index = 0; index < 7; index++) names.push(await givenAlias(kms, key.keyId))
names.sort()

const list = (input: ListAliasesCommandInput) => kms.send(new ListAliasesCommand(input))

test('ListAliases of a key shows each with its bare target, by name', async () => {
  const { $metadata, Aliases, ...rest } = await list({ KeyId: key.keyId })
  expect(rest).toEqual({ Truncated: false })
  expect(Aliases).toEqual(
    names.map((AliasName) => ({
      AliasName,
      AliasArn: key.arn.replace(/key\/.*/, AliasName),
      TargetKeyId: key.keyId,
      CreationDate: expect.any(Date),
      LastUpdatedDate: expect.any(Date),
    })),
  )
})

test('A key is taken by its ARN too', async () => {
  expect((await list({ KeyId: key.arn })).Aliases).toHaveLength(7)
})

test.for([1, 2, 3, 6, 7, 8])('Pages of %i bring every alias of a key once', async (pageSize) => {
  const found: (string | undefined)[] = []
  for await (const page of paginateListAliases({ client: kms, pageSize }, { KeyId: key.keyId })) {
    expect(page.Aliases?.length).toBeLessThanOrEqual(pageSize)
    expect(page.Truncated).toBe(page.NextMarker !== undefined)
    found.push(...(page.Aliases ?? []).map(({ AliasName }) => AliasName))
  }
  expect(found).toEqual(names)
})

test('Without a key ListAliases shows those of the account, in pages', async () => {
  const found: (string | undefined)[] = []
  for await (const { Aliases } of paginateListAliases({ client: kms, pageSize: 3 }, {})) {
    found.push(...(Aliases ?? []).map(({ AliasName }) => AliasName))
  }
  expect(new Set(found).size).toBe(found.length)
  expect(found.filter((name) => names.includes(name ?? ''))).toEqual(names)
})

test('A limit above 100 counts as 100', async () => {
  const abroad = kmsClient({ ...stack, region: 'eu-west-1' })
  for (let count = 0; count < 101; ) {
    const { keyId } = await givenKey(abroad)
    for (let index = 0; index < 50; index++, count++) await givenAlias(abroad, keyId)
  }
  const { Aliases, Truncated } = await abroad.send(new ListAliasesCommand({ Limit: 1000 }))
  expect([Aliases?.length, Truncated]).toEqual([100, true])
}, 60_000)

describe('ListAliases refuses', () => {
  const attempt = (input: ListAliasesCommandInput) => refusalOf(list(input))
  const invalidMarker = refused('InvalidMarkerException', null)
  const marker = async (input: ListAliasesCommandInput) =>
    (await list({ ...input, Limit: 1 })).NextMarker ?? ''

  test('a marker of another key, of the whole account, or of another Region', async () => {
    const other = await givenKey(kms)
    const Marker = await marker({ KeyId: key.keyId })
    expect(await attempt({ KeyId: other.keyId, Marker })).toEqual(invalidMarker)
    expect(await attempt({ Marker })).toEqual(invalidMarker)
    expect(await attempt({ KeyId: key.keyId, Marker: await marker({}) })).toEqual(invalidMarker)
    const abroad = kmsClient({ ...stack, region: 'eu-west-1' })
    const elsewhere = abroad.send(new ListAliasesCommand({ Marker: await marker({}) }))
    expect(await refusalOf(elsewhere)).toEqual(invalidMarker)
  })

  test('a marker with any character changed', async () => {
    const Marker = await marker({ KeyId: key.keyId })
    for (let index = 0; index < Marker.length; index += 5) {
      const changed = Marker[index] === 'A' ? 'B' : 'A'
      const altered = Marker.slice(0, index) + changed + Marker.slice(index + 1)
      expect(await attempt({ KeyId: key.keyId, Marker: altered })).toEqual(invalidMarker)
    }
    expect(await attempt({ KeyId: key.keyId, Marker: `${Marker}A` })).toEqual(invalidMarker)
    expect(await attempt({ KeyId: key.keyId, Marker: 'x' })).toEqual(invalidMarker)
  })

  test('an alias for the key, before it is looked up', async () => {
    const aliases = refused(
      'InvalidArnException',
      'Key Aliases are not supported for this operation.',
    )
    expect(await attempt({ KeyId: names[0] })).toEqual(aliases)
    expect(await attempt({ KeyId: 'alias/absent' })).toEqual(aliases)
  })

  test('a key that does not exist', async () => {
    const absent = '00000000-0000-0000-0000-000000000000'
    expect(await attempt({ KeyId: absent })).toEqual(
      refused(
        'NotFoundException',
        `Key 'arn:aws:kms:us-east-1:${stack.account}:key/${absent}' does not exist`,
      ),
    )
  })

  test('limits and markers outside of their constraints', async () => {
    const input = { Limit: 1001, Marker: '' }
    expect(jsonOf(await callKms(stack, 'ListAliases', input)).json).toEqual({
      __type: 'ValidationException',
      message:
        "2 validation errors detected: Value '1001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000; " +
        "Value '' at 'marker' failed to satisfy constraint: Member must have length greater than or equal to 1",
    })
  })
})
