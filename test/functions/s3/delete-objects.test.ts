import { createHash } from 'node:crypto'
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, test } from 'vitest'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()

let Bucket: string
beforeAll(async () => {
  Bucket = await givenBucket(s3)
})

const put = async (Key: string): Promise<string> =>
  (await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))).ETag ?? ''
const names = async (): Promise<readonly (string | undefined)[]> =>
  ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key)
const sendXml = (xml: string, headers?: Record<string, string>) =>
  sendRaw(stack, {
    method: 'POST',
    path: `/${Bucket}`,
    query: { delete: '' },
    headers: headers ?? { 'content-md5': createHash('md5').update(xml).digest('base64') },
    body: Buffer.from(xml),
  })

describe('DeleteObject', () => {
  test('removes an object, and does not mind when there is none', async () => {
    await put('gone')
    for (const _ of [1, 2]) {
      const { $metadata } = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }))
      expect($metadata.httpStatusCode).toBe(204)
    }
    expect(await names()).not.toContain('gone')
  })

  test('with If-Match removes the object with that ETag only', async () => {
    const ETag = await put('match')
    const remove = (IfMatch: string) =>
      s3.send(new DeleteObjectCommand({ Bucket, Key: 'match', IfMatch }))
    await expect(remove('"other"')).rejects.toMatchObject({ name: 'PreconditionFailed' })
    await remove(ETag)
    expect(await names()).not.toContain('match')
  })

  test('of another version removes nothing', async () => {
    await put('version')
    const remove = s3.send(new DeleteObjectCommand({ Bucket, Key: 'version', VersionId: 'abc' }))
    await expect(remove).rejects.toMatchObject({ name: 'InvalidArgument' })
    expect(await names()).toContain('version')
  })
})

describe('DeleteObjects', () => {
  const remove = (keys: readonly string[], Quiet = false) =>
    s3.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: { Quiet, Objects: keys.map((Key) => ({ Key })) },
      }),
    )

  test('removes many, whatever their names, and tells of each in order', async () => {
    const keys = [
      'a',
      'b/c',
      'x & <y> "z"',
      ' spaces ',
      'é',
      '100%',
      'line\nbreak',
      'cr\rlf',
      'none',
    ]
    for (const key of keys.slice(0, -1)) await put(key)
    const { Deleted = [], Errors } = await remove(keys)
    expect(Deleted.map(({ Key }) => Key)).toEqual(keys)
    expect(Errors).toBeUndefined()
    const left = await names()
    for (const key of keys) expect(left).not.toContain(key)
  })

  test('tells only of failures when it is to be quiet', async () => {
    await put('quiet')
    expect((await remove(['quiet', 'none'], true)).Deleted).toBeUndefined()
    expect(await names()).not.toContain('quiet')
  })

  test('tells of a condition that does not hold, and goes on', async () => {
    await put('kept')
    await put('removed')
    const { Deleted, Errors } = await s3.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: { Objects: [{ Key: 'kept', ETag: 'other' }, { Key: 'removed' }] },
      }),
    )
    expect(Errors).toMatchObject([{ Key: 'kept', Code: 'PreconditionFailed' }])
    expect(Deleted).toMatchObject([{ Key: 'removed' }])
    expect(await names()).toContain('kept')
  })

  test('a body in character data says the same', async () => {
    await put('a&b')
    const { status } = await sendXml(
      '<d:Delete xmlns:d="x"><d:Object>\n<d:Key><![CDATA[a&b]]></d:Key></d:Object></d:Delete>',
    )
    expect(status).toBe(200)
    expect(await names()).not.toContain('a&b')
  })

  const one = (inner: string) => `<Delete><Object>${inner}</Object></Delete>`
  test.each([
    ['', 'MalformedXML'],
    ['<Delete/>', 'MalformedXML'],
    ['<Delete><Object></Object></Delete>', 'MalformedXML'],
    [one('<Key/>'), 'MalformedXML'],
    [one('<Key>a</Key><Key>b</Key>'), 'MalformedXML'],
    [one('<Key><b/></Key>'), 'MalformedXML'],
    [one('<Key>&unknown;</Key>'), 'MalformedXML'],
    [one('<Key>a</Key>').replace('</Delete>', ''), 'MalformedXML'],
    [`${one('<Key>a</Key>')}<Delete/>`, 'MalformedXML'],
    [`<Delete>${'<Object><Key>k</Key></Object>'.repeat(1001)}</Delete>`, 'MalformedXML'],
    [`<!DOCTYPE d [<!ENTITY e "x">]>${one('<Key>&e;</Key>')}`, 'MalformedXML'],
    [one(`<Key>${'k'.repeat(2_100_000)}</Key>`), 'MaxMessageLengthExceeded'],
  ])('refuses the body in case %#', async (xml, code) => {
    const answer = await sendXml(xml)
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, code])
  })

  test('refuses a body that nothing protects, and one that was changed', async () => {
    await put('protected')
    const xml = one('<Key>protected</Key>')
    expect(xmlText((await sendXml(xml, {})).body, 'Code')).toBe('InvalidRequest')
    const changed = await sendXml(xml, {
      'content-md5': createHash('md5').update('x').digest('base64'),
    })
    expect(xmlText(changed.body, 'Code')).toBe('BadDigest')
    expect(await names()).toContain('protected')
  })
})
