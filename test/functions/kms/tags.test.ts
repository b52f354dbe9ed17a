import {
  ListKeysCommand,
  ListResourceTagsCommand,
  paginateListResourceTags,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import {
  givenDisabledKey,
  givenKey,
  givenKeyPendingDeletion,
  kmsClient,
} from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)

type Tags = Readonly<Record<string, string>>
const listOf = (tags: Tags) =>
  Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }))
const tag = (KeyId: string, tags: Tags) =>
  kms.send(new TagResourceCommand({ KeyId, Tags: listOf(tags) }))
const untag = (KeyId: string, ...TagKeys: string[]) =>
  kms.send(new UntagResourceCommand({ KeyId, TagKeys }))
const tagsOf = async (KeyId: string) =>
  (await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags

test('A key without tags has an empty list of them', async () => {
  const { keyId } = await givenKey(kms)
  const answer = await callKms(stack, 'ListResourceTags', { KeyId: keyId })
  expect(jsonOf(answer).json).toEqual({ Tags: [], Truncated: false })
})

test('New tags come last; a tag that is set again keeps its place', async () => {
  const { keyId, arn } = await givenKey(kms)
  await tag(keyId, { b: '1', a: '1' })
  await tag(arn, { c: '1', b: '2' })
  expect(await tagsOf(keyId)).toEqual(listOf({ b: '2', a: '1', c: '1' }))
  await tag(keyId, { B: 'another' })
  expect(await tagsOf(keyId)).toEqual(listOf({ b: '2', a: '1', c: '1', B: 'another' }))
})

test('Tags are removed by name; names that the key does not have are passed over', async () => {
  const { keyId } = await givenKey(kms)
  await tag(keyId, { a: '', b: '', c: '' })
  await untag(keyId, 'b', 'absent', 'C')
  expect(await tagsOf(keyId)).toEqual(listOf({ a: '', c: '' }))
  await untag(keyId, 'b')
  await untag(keyId, 'a', 'c')
  expect(await tagsOf(keyId)).toEqual([])
})

test('Names that mean something to JavaScript are names like others', async () => {
  const { keyId } = await givenKey(kms)
  const Tags = ['__proto__', 'constructor', 'toString'].map((TagKey) => ({ TagKey, TagValue: 'x' }))
  await kms.send(new TagResourceCommand({ KeyId: keyId, Tags }))
  expect(await tagsOf(keyId)).toEqual(Tags)
})

test('Changes at the same time are all kept', async () => {
  const { keyId } = await givenKey(kms)
  const names = ['a', 'b', 'c', 'd', 'e']
  await Promise.all(names.map((name) => tag(keyId, { [name]: '' })))
  const found = (await tagsOf(keyId))?.map(({ TagKey }) => TagKey)
  expect(found?.toSorted()).toEqual(names)
})

test('Both answer with an empty body', async () => {
  const { keyId } = await givenKey(kms)
  const Tags = listOf({ a: '' })
  expect(await callKms(stack, 'TagResource', { KeyId: keyId, Tags })).toMatchObject({
    status: 200,
    body: '',
  })
  expect(await callKms(stack, 'UntagResource', { KeyId: keyId, TagKeys: ['a'] })).toMatchObject({
    status: 200,
    body: '',
  })
})

test('A disabled key can be tagged', async () => {
  const { keyId } = await givenDisabledKey(kms)
  await tag(keyId, { a: '' })
  await untag(keyId, 'a')
})

describe('TagResource refuses', () => {
  test('more than fifty tags in all', async () => {
    const { keyId } = await givenKey(kms)
    const fifty = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`t${index}`, '']))
    await tag(keyId, fifty)
    await tag(keyId, { t0: 'changed' })
    expect(await refusalOf(tag(keyId, { more: '' }))).toEqual(
      refused('TagException', 'Too many tags'),
    )
    expect(await tagsOf(keyId)).toHaveLength(50)
  })

  test('reserved names and names that come twice, and sets none of the others', async () => {
    const { keyId } = await givenKey(kms)
    expect(await refusalOf(tag(keyId, { a: '', 'Aws:b': '' }))).toEqual(
      refused('TagException', 'Tags beginning with aws: are reserved'),
    )
    const Tags = [...listOf({ a: '1' }), ...listOf({ a: '2' })]
    const twice = kms.send(new TagResourceCommand({ KeyId: keyId, Tags }))
    expect(await refusalOf(twice)).toEqual(refused('TagException', 'Duplicate tag keys'))
    expect(await tagsOf(keyId)).toEqual([])
  })

  test('a key pending deletion, as UntagResource does', async () => {
    const { keyId, arn } = await givenKeyPendingDeletion(kms)
    const pending = refused('KMSInvalidStateException', `${arn} is pending deletion.`)
    expect(await refusalOf(tag(keyId, { a: '' }))).toEqual(pending)
    expect(await refusalOf(untag(keyId, 'a'))).toEqual(pending)
    expect(await tagsOf(keyId)).toEqual([])
  })

  test('what breaks the constraints of tags', async () => {
    const input = { KeyId: 'any', Tags: [{ TagKey: '', TagValue: 'v'.repeat(257) }] }
    expect(jsonOf(await callKms(stack, 'TagResource', input)).json).toEqual({
      __type: 'ValidationException',
      message:
        "2 validation errors detected: Value '' at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
        `Value '${'v'.repeat(257)}' at 'tags.1.member.tagValue' failed to satisfy constraint: Member must have length less than or equal to 256`,
    })
    expect(jsonOf(await callKms(stack, 'TagResource', { KeyId: 'any' })).json).toMatchObject({
      message:
        "1 validation error detected: Value null at 'tags' failed to satisfy constraint: Member must not be null",
    })
  })
})

describe('The pages of ListResourceTags', () => {
  const names = Array.from({ length: 7 }, (_, index) => `tag ${index}`)
  const Tags = names.map((TagKey) => ({ TagKey, TagValue: 'v' }))

  test.for([1, 2, 3, 6, 7, 50, 1000])('of %i bring every tag once, in order', async (pageSize) => {
    const { keyId } = await givenKey(kms, { Tags })
    const found = []
    const pages = paginateListResourceTags({ client: kms, pageSize }, { KeyId: keyId })
    for await (const page of pages) {
      expect(page.Tags?.length).toBeLessThanOrEqual(pageSize)
      expect(page.Truncated).toBe(page.NextMarker !== undefined)
      found.push(...(page.Tags ?? []))
    }
    expect(found).toEqual(Tags)
  })

  test('go on where they were when the last tag of a page is removed', async () => {
    const { keyId } = await givenKey(kms, { Tags })
    const list = (more: object) =>
      kms.send(new ListResourceTagsCommand({ KeyId: keyId, Limit: 3, ...more }))
    const { NextMarker: Marker } = await list({})
    await untag(keyId, 'tag 2')
    const next = await list({ Marker })
    expect(next.Tags?.map(({ TagKey }) => TagKey)).toEqual(['tag 3', 'tag 4', 'tag 5'])
  })

  test('refuse the markers of other keys and operations, and altered ones', async () => {
    const [one, other] = [await givenKey(kms, { Tags }), await givenKey(kms, { Tags })]
    const list = (KeyId: string, more: object = {}) =>
      kms.send(new ListResourceTagsCommand({ KeyId, Limit: 1, ...more }))
    const { NextMarker: Marker = '' } = await list(one.keyId)
    const ofKeys = await kms.send(new ListKeysCommand({ Limit: 1 }))
    const invalid = refused('InvalidMarkerException', null)
    expect(await refusalOf(list(other.keyId, { Marker }))).toEqual(invalid)
    expect(await refusalOf(list(one.keyId, { Marker: ofKeys.NextMarker }))).toEqual(invalid)
    expect(await refusalOf(list(one.keyId, { Marker: Marker.slice(1) }))).toEqual(invalid)
    expect((await list(one.arn, { Marker })).Tags?.[0]?.TagKey).toBe('tag 1')
  })
})
