import { ListAliasesCommand, ListKeysCommand, paginateListKeys } from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import {
  givenDisabledKey,
  givenKey,
  givenKeyPendingDeletion,
  kmsClient,
} from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

// A Region where no other test makes keys.
const stack = givenStack('us-west-2')
const kms = kmsClient(stack)
const keys = [
  await givenKey(kms),
  await givenDisabledKey(kms),
  await givenKeyPendingDeletion(kms),
  await givenKey(kms, { MultiRegion: true }),
  await givenKey(kms),
]
const expected = keys.map(({ keyId, arn }) => ({ KeyId: keyId, KeyArn: arn }))

test('ListKeys shows every key of the Region, in any state, by bare id and ARN', async () => {
  const { $metadata, Keys, ...rest } = await kms.send(new ListKeysCommand({}))
  expect(rest).toEqual({ Truncated: false })
  expect(Keys).toEqual(expect.arrayContaining(expected))
})

test.for([1, 2, 4, 5, 6, 1000])(
  'Pages of %i bring every key once, in one order',
  async (pageSize) => {
    const { Keys } = await kms.send(new ListKeysCommand({}))
    const found = []
    for await (const page of paginateListKeys({ client: kms, pageSize }, {})) {
      expect(page.Keys?.length).toBeLessThanOrEqual(pageSize)
      expect(page.Truncated).toBe(page.NextMarker !== undefined)
      found.push(...(page.Keys ?? []))
    }
    expect(found).toEqual(Keys)
  },
)

test('Truncated is always told, NextMarker only when there is more', async () => {
  const whole = jsonOf(await callKms(stack, 'ListKeys', {})).json
  expect(whole).toMatchObject({ Truncated: false })
  expect(whole).not.toHaveProperty('NextMarker')
  const part = jsonOf(await callKms(stack, 'ListKeys', { Limit: 2 })).json
  expect(part).toMatchObject({ Truncated: true, NextMarker: expect.any(String) })
})

test('A marker does not show where the listing stands', async () => {
  const { NextMarker, Keys } = await kms.send(new ListKeysCommand({ Limit: 1 }))
  const text = Buffer.from(NextMarker ?? '', 'base64url').toString('latin1')
  expect(text).not.toContain(Keys?.[0]?.KeyId)
})

test('A marker of another operation or Region is refused', async () => {
  const { NextMarker: Marker } = await kms.send(new ListKeysCommand({ Limit: 1 }))
  const invalid = refused('InvalidMarkerException', null)
  expect(await refusalOf(kms.send(new ListAliasesCommand({ Marker })))).toEqual(invalid)
  const abroad = kmsClient(givenStack('eu-west-1'))
  expect(await refusalOf(abroad.send(new ListKeysCommand({ Marker })))).toEqual(invalid)
})

test.for<[object, string]>([
  [
    { Limit: 0 },
    "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
  ],
  [
    { Limit: 1001 },
    "Value '1001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000",
  ],
  [
    { Marker: 'Ω' },
    "Value 'Ω' at 'marker' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\u0020-\\u00FF]*",
  ],
])('ListKeys refuses %j', async ([input, fault]) => {
  expect(jsonOf(await callKms(stack, 'ListKeys', input)).json).toEqual({
    __type: 'ValidationException',
    message: `1 validation error detected: ${fault}`,
  })
})
