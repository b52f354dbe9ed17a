import { randomBytes } from 'node:crypto'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { expect, test } from 'vitest'
import { parseXml } from '../../../shared/lambda/s3-xml-reader.ts'
import { givenStack } from '../../support/stack-client.ts'

const s3 = givenStack().s3()

test('character data without an end is refused, and with one is text', () => {
  const open = Buffer.from(`<Complete>${'<![CDATA['.repeat(100_000)}</Complete>`)
  expect(() => parseXml(open, 'Complete')).toThrow('not well-formed')
  expect(parseXml(Buffer.from('<A><B><![CDATA[x<y]]>z</B></A>'), 'A')).toEqual({ B: 'x&lt;yz' })
})

test('a presigned name of metadata that can be no header is refused, and nothing is stored', async () => {
  const Bucket = `hardening-${randomBytes(6).toString('hex')}`
  await s3.send(new CreateBucketCommand({ Bucket }))
  const command = new PutObjectCommand({ Bucket, Key: 'k', Metadata: { 'a b': 'c' } })
  const url = await getSignedUrl(s3, command)
  expect(new URL(url).searchParams.get('x-amz-meta-a b')).toBe('c')
  const answer = await fetch(url, { method: 'PUT', body: 'x' })
  expect(answer.status).toBe(400)
  expect(await answer.text()).toContain('<Code>InvalidArgument</Code>')
  await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }))
})
