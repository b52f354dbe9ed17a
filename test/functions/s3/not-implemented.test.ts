import {
  GetObjectTorrentCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, expect, test } from 'vitest'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()

let Bucket: string
beforeAll(async () => {
  Bucket = await givenBucket(s3)
})

test.each([
  [
    'PutBucketVersioning',
    () =>
      s3.send(
        new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
      ),
  ],
  ['GetObjectTorrent', () => s3.send(new GetObjectTorrentCommand({ Bucket, Key: 'k' }))],
])('%s is refused by its name', async (Operation, send) => {
  await expect(send()).rejects.toMatchObject({ name: 'NotImplemented', Operation })
})

test('a request that is not signed learns nothing', async () => {
  const answer = await fetch(`${stack.endpoint}/${Bucket}?policy`)
  expect(answer.status).toBe(403)
  expect(xmlText(Buffer.from(await answer.arrayBuffer()), 'Code')).toBe('AccessDenied')
})

test.each([
  ['InvalidAccessKeyId', 403, { accessKeyId: 'AKIAUNKNOWNUNKNOWN00' }],
  ['SignatureDoesNotMatch', 403, { secretAccessKey: 'another secret' }],
])('%s is told in XML', async (code, status, wrong) => {
  const credentials = { ...stack.credentials, ...wrong }
  const answer = await sendRaw({ ...stack, credentials }, { method: 'GET', path: '/' })
  expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([status, code])
  expect(answer.headers['content-type']).toBe('application/xml')
  expect(xmlText(answer.body, 'RequestId')).toBe(answer.headers['x-amz-request-id'])
  expect(answer.body.toString()).not.toContain('StringToSign')
})

test('a body that nobody wants to read does not stop the next request', async () => {
  const body = Buffer.alloc(3_000_000)
  const refused = await sendRaw(stack, {
    method: 'PUT',
    path: `/${Bucket}`,
    query: { website: '' },
    body,
  })
  expect([refused.status, xmlText(refused.body, 'Code')]).toEqual([501, 'NotImplemented'])
  await s3.send(new PutObjectCommand({ Bucket, Key: 'after', Body: 'x' }))
})
