/** The official clients, over HTTP: what they really send is taken. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  CopyObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Authentication, Authenticator } from '../../../shared/authn/authenticate.ts'
import { payloadStream, trailersOf } from '../../../shared/authn/payload-stream.ts'
import type { SignedRequest } from '../../../shared/authn/request.ts'
import type { Service } from '../../../shared/authn/service-rules.ts'
import { givenAuthenticator, REGION } from './given.ts'

function requestOf(message: IncomingMessage): SignedRequest {
  const [path = '', query = ''] = (message.url ?? '').split(/\?(.*)/)
  const headers = new Map(
    Object.entries(message.headersDistinct).map(([name, values]) => [name, values ?? []]),
  )
  return { method: message.method ?? '', path, query, headers }
}

interface Seen {
  readonly answer: Authentication
  readonly data: Buffer
  readonly trailers: ReadonlyMap<string, string>
}

/** A server that authenticates what comes and answers with nothing; `seen` keeps the last request. */
async function givenServer(service: Service) {
  const stack = await givenAuthenticator()
  const authenticator = new Authenticator({
    accessKeys: stack.accessKeys,
    sessions: stack.sessions,
    clock: { now: () => Date.now() },
    regions: [REGION],
  })
  const seen: Seen[] = []
  const see = async (message: IncomingMessage): Promise<Seen> => {
    const body = service === 's3' ? null : await buffer(message)
    const answer = await authenticator.authenticate(requestOf(message), { service, body })
    if (!answer.ok || body !== null) {
      return { answer, data: body ?? Buffer.alloc(0), trailers: new Map() }
    }
    const length = message.headers['x-amz-decoded-content-length']
    const data = payloadStream(message, answer.payload, length ? Number(length) : null)
    return { answer, data: await buffer(data), trailers: trailersOf(data) }
  }
  const server = createServer(async (message, response) => {
    const one = await see(message)
    seen.push(one)
    response.writeHead(one.answer.ok ? 200 : 403).end(service === 's3' ? '' : '{}')
  })
  server.listen(0)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const endpoint = `http://localhost:${(server.address() as AddressInfo).port}`
  const options = { endpoint, region: REGION, credentials: stack.credentials, maxAttempts: 1 }
  const last = (): Seen => {
    const one = seen.at(-1)
    if (one === undefined) throw new Error('The server has seen nothing.')
    return one
  }
  return { options, last }
}

const givenS3 = async () => {
  const { options, last } = await givenServer('s3')
  return { s3: new S3Client({ ...options, forcePathStyle: true }), last }
}

test('KMSClient is taken', async () => {
  const { options, last } = await givenServer('kms')
  const kms = new KMSClient(options)
  await kms.send(new EncryptCommand({ KeyId: 'alias/payments', Plaintext: Buffer.from('hello') }))
  expect(last().answer).toMatchObject({ ok: true, region: REGION })
})

test('CloudTrailClient is taken', async () => {
  const { options, last } = await givenServer('cloudtrail')
  await new CloudTrailClient(options).send(new LookupEventsCommand({}))
  expect(last().answer.ok).toBe(true)
})

test('STSClient is taken', async () => {
  const { options, last } = await givenServer('sts')
  await new STSClient(options).send(new GetCallerIdentityCommand({})).catch(() => null)
  expect(last().answer.ok).toBe(true)
})

describe('S3Client is taken', () => {
  const Bucket = 'bucket'

  test.each(['a', "a b/c+d/é/*!'()", 'a//b/../c/.', 'x=%2F&y?#'])(
    'with the key %s',
    async (Key) => {
      const { s3, last } = await givenS3()
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'data', Metadata: { a: 'x  y' } }))
      expect(last().answer).toMatchObject({ ok: true, payload: { kind: 'hash' } })
      expect(last().data.toString()).toBe('data')
      await s3.send(new GetObjectCommand({ Bucket, Key })).catch(() => null)
      expect(last().answer.ok).toBe(true)
    },
  )

  test('with a stream, which it sends in chunks with a checksum after it', async () => {
    const { s3, last } = await givenS3()
    const data = Buffer.alloc(300_000, 'data')
    const Body = Readable.from([data.subarray(0, 100_000), data.subarray(100_000)])
    const ContentLength = data.length
    await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body, ContentLength }))
    expect(last().answer).toMatchObject({ ok: true, payload: { kind: 'unsigned-trailer' } })
    expect(last().data.equals(data)).toBe(true)
    expect([...last().trailers.keys()]).toEqual(['x-amz-checksum-crc32'])
  })

  test('with a query and a copy source', async () => {
    const { s3, last } = await givenS3()
    const list = new ListObjectsV2Command({ Bucket, Prefix: 'a b+c/é', Delimiter: '/' })
    await s3.send(list).catch(() => null)
    expect(last().answer.ok).toBe(true)
    const copy = new CopyObjectCommand({ Bucket, Key: 'a', CopySource: 'bucket/b%20c' })
    await s3.send(copy).catch(() => null)
    expect(last().answer.ok).toBe(true)
  })

  test('with a presigned GET and PUT, whatever Content-Type is added', async () => {
    const { s3, last } = await givenS3()
    const get = new GetObjectCommand({ Bucket, Key: 'a b', ResponseContentType: 'text/plain' })
    await fetch(await getSignedUrl(s3, get, { expiresIn: 60 }))
    expect(last().answer).toMatchObject({ ok: true, presigned: true })
    const put = new PutObjectCommand({ Bucket, Key: 'a b' })
    const url = await getSignedUrl(s3, put, { expiresIn: 60 })
    await fetch(url, { method: 'PUT', body: 'data', headers: { 'content-type': 'text/plain' } })
    expect(last()).toMatchObject({ answer: { ok: true, payload: { kind: 'unsigned' } } })
    expect(last().data.toString()).toBe('data')
    await fetch(url, { method: 'DELETE' })
    expect(last().answer).toMatchObject({ ok: false, failure: { kind: 'mismatch' } })
  })
})
