import { randomUUID } from 'node:crypto'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, test } from 'vitest'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()
const europe = givenStack('eu-west-1').s3()

describe('CreateBucket', () => {
  test('makes a bucket that HeadBucket finds and ListBuckets shows', async () => {
    const Bucket = await givenBucket(s3)
    const head = await s3.send(new HeadBucketCommand({ Bucket }))
    expect(head.BucketRegion).toBe('us-east-1')
    const { Buckets = [], Owner } = await s3.send(new ListBucketsCommand({}))
    expect(Buckets.find(({ Name }) => Name === Bucket)?.CreationDate).toBeInstanceOf(Date)
    expect(Owner?.ID).toMatch(/^[0-9a-f]{64}$/)
  })

  test('answers with the path of the bucket', async () => {
    const Bucket = `test-${randomUUID()}`
    expect((await s3.send(new CreateBucketCommand({ Bucket }))).Location).toBe(`/${Bucket}`)
  })

  test.each([
    'UPPER',
    'ab',
    'a_b_c',
    '-abc',
    'abc-',
    'a..b',
    '192.168.0.1',
    'xn--abc',
    'abc-s3alias',
    'x'.repeat(64),
  ])('refuses the name %s', async (Bucket) => {
    const { status, body } = await sendRaw(stack, { method: 'PUT', path: `/${Bucket}` })
    expect([status, xmlText(body, 'Code')]).toEqual([400, 'InvalidBucketName'])
  })

  test('takes no offence at a bucket that is there in us-east-1, and does elsewhere', async () => {
    const Bucket = await givenBucket(s3)
    await s3.send(new CreateBucketCommand({ Bucket }))
    const CreateBucketConfiguration = { LocationConstraint: 'eu-west-1' } as const
    const other = await givenBucket(europe, 'eu-west-1')
    const again = europe.send(new CreateBucketCommand({ Bucket: other, CreateBucketConfiguration }))
    await expect(again).rejects.toMatchObject({
      name: 'BucketAlreadyOwnedByYou',
      $metadata: { httpStatusCode: 409 },
    })
  })

  test.each([
    ['us-east-1', 'us-east-1', 'InvalidLocationConstraint'],
    ['us-east-1', 'ap-south-1', 'InvalidLocationConstraint'],
    ['eu-west-1', undefined, 'IllegalLocationConstraintException'],
    ['eu-west-1', 'us-west-2', 'IllegalLocationConstraintException'],
  ])('in %s refuses the location %s', async (region, location, code) => {
    const constraint = `<CreateBucketConfiguration><LocationConstraint>${location}</LocationConstraint></CreateBucketConfiguration>`
    const answer = await sendRaw(givenStack(region), {
      method: 'PUT',
      path: `/test-${randomUUID()}`,
      body: Buffer.from(location === undefined ? '' : constraint),
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, code])
  })

  test.each([
    '<CreateBucketConfiguration>',
    '<Other/>',
    '<!DOCTYPE x><CreateBucketConfiguration/>',
  ])('refuses the body %s', async (xml) => {
    const answer = await sendRaw(stack, {
      method: 'PUT',
      path: `/test-${randomUUID()}`,
      body: Buffer.from(xml),
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, 'MalformedXML'])
  })
})

describe('HeadBucket and GetBucketLocation', () => {
  test('tell nothing of a bucket that is not there', async () => {
    const Bucket = `test-${randomUUID()}`
    await expect(s3.send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NotFound',
    })
    const answer = await sendRaw(stack, { method: 'HEAD', path: `/${Bucket}` })
    expect([answer.status, answer.body.length]).toEqual([404, 0])
    const location = s3.send(new GetBucketLocationCommand({ Bucket }))
    await expect(location).rejects.toMatchObject({ name: 'NoSuchBucket', BucketName: Bucket })
  })

  test('tell the Region, from everywhere', async () => {
    const here = await givenBucket(s3)
    const there = await givenBucket(europe, 'eu-west-1')
    const { LocationConstraint } = await s3.send(new GetBucketLocationCommand({ Bucket: here }))
    expect(LocationConstraint).toBeUndefined()
    const far = await s3.send(new GetBucketLocationCommand({ Bucket: there }))
    expect(far.LocationConstraint).toBe('eu-west-1')
  })

  test('a bucket of another Region is named with that Region', async () => {
    const Bucket = await givenBucket(europe, 'eu-west-1')
    const answer = await sendRaw(stack, {
      method: 'GET',
      path: `/${Bucket}`,
      query: { 'list-type': '2' },
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([
      400,
      'AuthorizationHeaderMalformed',
    ])
    expect(xmlText(answer.body, 'Region')).toBe('eu-west-1')
    expect(answer.headers['x-amz-bucket-region']).toBe('eu-west-1')
  })
})

describe('DeleteBucket', () => {
  test('removes a bucket that is empty', async () => {
    const Bucket = await givenBucket(s3)
    const { $metadata } = await s3.send(new DeleteBucketCommand({ Bucket }))
    expect($metadata.httpStatusCode).toBe(204)
    const list = s3.send(new ListObjectsV2Command({ Bucket }))
    await expect(list).rejects.toMatchObject({ name: 'NoSuchBucket' })
  })

  test('refuses one that has objects or uploads under way', async () => {
    const Bucket = await givenBucket(s3)
    await s3.send(new PutObjectCommand({ Bucket, Key: 'one', Body: 'x' }))
    const remove = () => s3.send(new DeleteBucketCommand({ Bucket }))
    await expect(remove()).rejects.toMatchObject({ name: 'BucketNotEmpty' })
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'one' }))
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'two' }))
    await expect(remove()).rejects.toMatchObject({ name: 'BucketNotEmpty' })
  })
})

describe('ListBuckets', () => {
  test('pages by prefix, in order, without a gap', async () => {
    const prefix = `page-${randomUUID().slice(0, 8)}-`
    const names = ['a', 'b', 'c', 'd', 'e'].map((letter) => prefix + letter)
    for (const Bucket of names) await s3.send(new CreateBucketCommand({ Bucket }))
    const found: (string | undefined)[] = []
    let token: string | undefined
    do {
      const page = await s3.send(
        new ListBucketsCommand({ Prefix: prefix, MaxBuckets: 2, ContinuationToken: token }),
      )
      expect(page.Prefix).toBe(prefix)
      found.push(...(page.Buckets ?? []).map(({ Name }) => Name))
      token = page.ContinuationToken
    } while (token !== undefined)
    expect(found).toEqual(names)
  })

  test('a token is good for its own listing only', async () => {
    const prefix = `page-${randomUUID().slice(0, 8)}-`
    for (const letter of ['a', 'b']) {
      await s3.send(new CreateBucketCommand({ Bucket: prefix + letter }))
    }
    const list = (Prefix: string, ContinuationToken?: string) =>
      s3.send(new ListBucketsCommand({ Prefix, MaxBuckets: 1, ContinuationToken }))
    const { ContinuationToken = '' } = await list(prefix)
    await expect(list('other', ContinuationToken)).rejects.toMatchObject({
      name: 'InvalidArgument',
    })
    await expect(list(prefix, 'x')).rejects.toMatchObject({ name: 'InvalidArgument' })
  })
})
