import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, expect, test } from 'vitest'
import { openS3Store } from '../../../shared/blobs/s3-store.ts'
import { cut, settled, streamOf } from './given.ts'
import { namesOf, storeContract } from './store-contract.ts'

const MIB = 1024 * 1024
const PART_LENGTH = 8 * MIB

/** As much of S3 as a backing store needs, in memory and without signatures. */
class S3InMemory {
  readonly objects = new Map<string, { body: Buffer; modifiedAt: string }>()
  readonly uploads = new Map<string, Map<number, Buffer>>()
  readonly requests: string[] = []
  /** Awaited before a part is answered; what it throws becomes a 500. */
  onPart: (partNumber: number) => Promise<void> = async () => {}
  partsAtOnce = 0
  mostPartsAtOnce = 0
  readonly #server: Server = createServer((request, response) => {
    this.#answer(request, response).catch(() => fail(response, 500, 'InternalError'))
  })

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://host')
    this.requests.push(
      `${request.method} ${pathname}${searchParams.has('uploadId') ? ' upload' : ''}`,
    )
    const body = await buffer(request)
    const uploadId = searchParams.get('uploadId')
    if (searchParams.has('list-type')) this.#list(pathname, searchParams, response)
    else if (searchParams.has('uploads')) this.#create(response)
    else if (uploadId !== null)
      await this.#upload(request, pathname, searchParams, uploadId, body, response)
    else if (request.method === 'PUT') this.#put(request, pathname, body, response)
    else if (request.method === 'GET') this.#get(pathname, request.headers.range, response)
    else this.#delete(pathname, response)
  }

  #put(request: IncomingMessage, path: string, body: Buffer, response: ServerResponse): void {
    if (request.headers['if-none-match'] === '*' && this.objects.has(path)) {
      fail(response, 412, 'PreconditionFailed')
      return
    }
    this.objects.set(path, { body, modifiedAt: new Date().toISOString() })
    response.setHeader('etag', '"x"').end()
  }

  #get(path: string, range: string | undefined, response: ServerResponse): void {
    const object = this.objects.get(path)
    if (object === undefined) {
      fail(response, 404, 'NoSuchKey')
      return
    }
    const [, start = 0, end = 0] = (/^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []).map(Number)
    if (start >= object.body.length) {
      fail(response, 416, 'InvalidRange')
      return
    }
    response.writeHead(206)
    response.end(object.body.subarray(start, end + 1))
  }

  #delete(path: string, response: ServerResponse): void {
    this.objects.delete(path)
    response.writeHead(204)
    response.end()
  }

  /** Pages of ten, so that a listing has several. */
  #list(bucket: string, query: URLSearchParams, response: ServerResponse): void {
    const start = `${bucket.replace(/\/$/, '')}/`
    const after = query.get('continuation-token') ?? ''
    const prefix = query.get('prefix') ?? ''
    const keys = [...this.objects.keys()].map((path) => path.slice(start.length)).sort()
    const rest = keys.filter((key) => key.startsWith(prefix) && key > after)
    const page = rest.slice(0, 10)
    const contents = page.map((key) => {
      const modifiedAt = this.objects.get(start + key)?.modifiedAt
      return `<Contents><Key>${key}</Key><LastModified>${modifiedAt}</LastModified></Contents>`
    })
    const more = rest.length > page.length
    const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
    xml(
      response,
      'ListBucketResult',
      `<IsTruncated>${more}</IsTruncated>${next}${contents.join('')}`,
    )
  }

  #create(response: ServerResponse): void {
    const uploadId = randomBytes(8).toString('hex')
    this.uploads.set(uploadId, new Map())
    xml(response, 'InitiateMultipartUploadResult', `<UploadId>${uploadId}</UploadId>`)
  }

  async #upload(
    request: IncomingMessage,
    path: string,
    query: URLSearchParams,
    uploadId: string,
    body: Buffer,
    response: ServerResponse,
  ): Promise<void> {
    const parts = this.uploads.get(uploadId)
    if (parts === undefined) return fail(response, 404, 'NoSuchUpload')
    if (request.method === 'PUT') {
      await this.#putPart(parts, Number(query.get('partNumber')), body)
      response.setHeader('etag', '"x"').end()
      return
    }
    if (request.method === 'POST') {
      const named = [...String(body).matchAll(/<PartNumber>(\d+)</g)].map(([, number]) =>
        Number(number),
      )
      if (named.some((number, i) => number !== i + 1))
        return fail(response, 400, 'InvalidPartOrder')
      const isTaken = request.headers['if-none-match'] === '*' && this.objects.has(path)
      if (isTaken) return fail(response, 412, 'PreconditionFailed')
      const bodies = named.map((number) => parts.get(number) ?? Buffer.alloc(0))
      this.objects.set(path, { body: Buffer.concat(bodies), modifiedAt: new Date().toISOString() })
      this.uploads.delete(uploadId)
      xml(response, 'CompleteMultipartUploadResult', '<ETag>"x"</ETag>')
      return
    }
    this.uploads.delete(uploadId)
    response.writeHead(204)
    response.end()
  }

  async #putPart(parts: Map<number, Buffer>, partNumber: number, body: Buffer): Promise<void> {
    this.partsAtOnce += 1
    this.mostPartsAtOnce = Math.max(this.mostPartsAtOnce, this.partsAtOnce)
    try {
      await this.onPart(partNumber)
      parts.set(partNumber, body)
    } finally {
      this.partsAtOnce -= 1
    }
  }
}

const xml = (response: ServerResponse, name: string, content: string): void => {
  response.setHeader('content-type', 'application/xml')
  response.end(`<?xml version="1.0"?><${name}>${content}</${name}>`)
}

function fail(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}

const servers: S3InMemory[] = []
const clients: S3Client[] = []

async function givenStore(prefix = 'blobs/') {
  const s3 = new S3InMemory()
  servers.push(s3)
  const client = new S3Client({
    endpoint: await s3.listen(),
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'example' },
    maxAttempts: 1,
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  clients.push(client)
  return { s3, store: openS3Store({ bucket: 'backing', prefix, client }) }
}

afterAll(() => {
  for (const client of clients) client.destroy()
  for (const server of servers) server.close()
})

storeContract(async () => (await givenStore()).store)

test('blobs lie under the prefix, and others beside them are not listed', async () => {
  const { s3, store } = await givenStore('some/where/')
  s3.objects.set('/backing/other', { body: Buffer.alloc(1), modifiedAt: new Date().toISOString() })
  await store.put('name', Readable.from([Buffer.from('abc')]))
  expect([...s3.objects.keys()]).toEqual(['/backing/other', '/backing/some/where/name'])
  expect(await namesOf(store)).toEqual(['name'])
})

test('a short stream goes up in one request', async () => {
  const { s3, store } = await givenStore()
  await store.put('name', streamOf(cut(Buffer.alloc(PART_LENGTH), 70_000)))
  expect(s3.requests).toEqual(['PUT /backing/blobs/name'])
})

test('a long stream goes up in parts, at most four at once, which may come to an end in any order', async () => {
  const { s3, store } = await givenStore()
  const release: (() => void)[] = []
  s3.onPart = () => new Promise((resolve) => release.push(resolve))
  const bytes = randomBytes(7 * PART_LENGTH + 5)
  let pulled = 0
  const source = streamOf(cut(bytes, 70_000), (chunk) => {
    pulled += chunk.length
  })
  const write = store.put('name', source)
  while (release.length < 4) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(await settled(() => pulled)).toBeLessThanOrEqual(6 * PART_LENGTH)
  const releasing = setInterval(() => release.pop()?.(), 2)
  expect(await write).toBe(bytes.length)
  clearInterval(releasing)
  expect(s3.mostPartsAtOnce).toBe(4)
  expect(s3.objects.get('/backing/blobs/name')?.body.equals(bytes)).toBe(true)
  expect(s3.uploads.size).toBe(0)
})

test.each([1, 3, 8])(
  'when part %i fails, the upload is aborted and the source stopped',
  async (failing) => {
    const { s3, store } = await givenStore()
    s3.onPart = async (partNumber) => {
      if (partNumber === failing) throw new Error('no')
    }
    const source = streamOf(cut(Buffer.alloc(7 * PART_LENGTH + 5), 70_000))
    await expect(store.put('name', source)).rejects.toThrow()
    expect(source.destroyed).toBe(true)
    expect(s3.uploads.size).toBe(0)
    expect(s3.objects.size).toBe(0)
  },
)

test('when a part fails, a source that gives nothing more is not waited for', async () => {
  const { s3, store } = await givenStore()
  s3.onPart = async () => {
    throw new Error('no')
  }
  const source = new Readable({ read() {} })
  source.push(Buffer.alloc(PART_LENGTH + 1))
  await expect(store.put('name', source)).rejects.toThrow()
  expect(s3.uploads.size).toBe(0)
})

test('when the stream fails after some parts, no upload is left', async () => {
  const { s3, store } = await givenStore()
  const source = streamOf(
    (function* () {
      for (let i = 0; i < 300; i++) yield Buffer.alloc(70_000)
      throw new Error('the client went away')
    })(),
  )
  await expect(store.put('name', source)).rejects.toThrow('the client went away')
  expect(s3.requests.filter((request) => request.startsWith('DELETE'))).toHaveLength(1)
  expect(s3.uploads.size).toBe(0)
  expect(s3.objects.size).toBe(0)
})

test('an error of the service that means something else stays what it is', async () => {
  const { store } = await givenStore()
  servers.at(-1)?.close()
  await expect(store.get('name', { start: 0, end: 1 })).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  })
})
