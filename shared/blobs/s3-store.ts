/**
 * A backing store in an S3 bucket, Amazon's or any that speaks its protocol. Streams of unknown
 * length go up in parts, a few at once, and become an object only when all are there; the service
 * refuses a name that is taken (`If-None-Match: *`). A process that dies half-way leaves an
 * incomplete multipart upload, which the bucket's own AbortIncompleteMultipartUpload rule removes.
 */
import { addAbortSignal, Readable } from 'node:stream'
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3'
import { type BackingStore, BlobMissing } from './backing-store.ts'
import { BlobExists, requireBlobName } from './blob-name.ts'
import type { PresignedPut } from './presigned-put.ts'
import { SegmentCutter } from './segment-cutter.ts'

type Sdk = typeof import('@aws-sdk/client-s3')

/** S3 takes 10,000 parts: 80 GiB of one stream. */
const PART_LENGTH = 8 * 1024 * 1024
const PARTS_AT_ONCE = 4

export interface S3StoreOptions {
  readonly bucket: string
  /** Put before every name: `blobs/`. */
  readonly prefix?: string
  /** Of a service that is not Amazon's; buckets are then part of the path, not of the host. */
  readonly endpoint?: string
  readonly region?: string
  /** Instead of one made from the environment. */
  readonly client?: S3Client
}

/**
 * Makes no connection and loads no SDK before the first call.
 * A range that goes past the end of a blob gives the bytes that are there.
 */
export const openS3Store = (options: S3StoreOptions): BackingStore => new S3Store(options)

class S3Store implements BackingStore {
  readonly #options: S3StoreOptions
  readonly #prefix: string
  #connection: Promise<Connection> | null = null

  constructor(options: S3StoreOptions) {
    this.#options = options
    this.#prefix = options.prefix ?? ''
  }

  async put(name: string, bytes: Readable, signal?: AbortSignal): Promise<number> {
    bytes.once('error', ignore) // it may fail before the upload listens, which then hears of it too
    try {
      const target = this.#locate(name)
      const { client, sdk } = await this.#connect()
      return await new Upload(sdk, client, target, bytes, signal).run()
    } finally {
      bytes.destroy()
    }
  }

  async get(
    name: string,
    range: { readonly start: number; readonly end: number },
  ): Promise<Readable> {
    const target = this.#locate(name)
    const { client, sdk } = await this.#connect()
    const request = { ...target, Range: `bytes=${range.start}-${range.end}` }
    try {
      const { Body } = await client.send(new sdk.GetObjectCommand(request))
      return Body as Readable
    } catch (error) {
      const status = statusOf(error)
      if (status === 404) throw new BlobMissing(name, { cause: error })
      if (status === 416) return Readable.from([])
      throw error
    }
  }

  async delete(name: string): Promise<void> {
    const target = this.#locate(name)
    const { client, sdk } = await this.#connect()
    await client.send(new sdk.DeleteObjectCommand(target))
  }

  async *list(): AsyncGenerator<{ readonly name: string; readonly modifiedAt: number }> {
    const { client, sdk } = await this.#connect()
    const request = { Bucket: this.#options.bucket, Prefix: this.#prefix }
    for await (const page of sdk.paginateListObjectsV2({ client }, request)) {
      for (const { Key, LastModified } of page.Contents ?? []) {
        if (Key === undefined || LastModified === undefined) continue
        yield { name: Key.slice(this.#prefix.length), modifiedAt: LastModified.getTime() }
      }
    }
  }

  async presignPut(name: string, seconds: number): Promise<PresignedPut> {
    const target = this.#locate(name)
    const { client, sdk } = await this.#connect()
    const { presignPut } = await import('./presigned-put.ts')
    return presignPut(client, sdk, target, seconds)
  }

  #locate(name: string): Target {
    return { Bucket: this.#options.bucket, Key: this.#prefix + requireBlobName(name) }
  }

  #connect(): Promise<Connection> {
    this.#connection ??= connect(this.#options)
    return this.#connection
  }
}

interface Connection {
  readonly sdk: Sdk
  readonly client: S3Client
}

interface Target {
  readonly Bucket: string
  readonly Key: string
}

async function connect({ client, endpoint, region }: S3StoreOptions): Promise<Connection> {
  const sdk = await import('@aws-sdk/client-s3')
  if (client !== undefined) return { sdk, client }
  const made = new sdk.S3Client({
    // Every segment carries a tag, so a checksum of what comes back would be a second one.
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  })
  return { sdk, client: made }
}

/** One `put`: holds at most `PARTS_AT_ONCE` parts on their way and one that is being filled. */
class Upload {
  readonly #sdk: Sdk
  readonly #client: S3Client
  readonly #target: Target
  readonly #bytes: Readable
  readonly #signal: AbortSignal | undefined
  /** Stops the parts on their way when one of them, or the stream, has failed. */
  readonly #stop = new AbortController()
  readonly #cutter = new SegmentCutter(PART_LENGTH)
  readonly #onTheirWay = new Set<Promise<void>>()
  readonly #done: CompletedPart[] = []
  #uploadId: string | null = null
  #partNumber = 0
  #size = 0

  constructor(
    sdk: Sdk,
    client: S3Client,
    target: Target,
    bytes: Readable,
    signal: AbortSignal | undefined,
  ) {
    this.#sdk = sdk
    this.#client = client
    this.#target = target
    this.#bytes = bytes
    this.#signal = signal
  }

  /** @returns the number of bytes, once the object exists */
  async run(): Promise<number> {
    if (this.#signal !== undefined) addAbortSignal(this.#signal, this.#bytes)
    try {
      for await (const chunk of this.#bytes) await this.#take(chunk)
      await this.#finish()
      return this.#size
    } catch (error) {
      await this.#giveUp()
      throw statusOf(error) === 412 ? new BlobExists('The name is taken.', { cause: error }) : error
    }
  }

  async #take(chunk: Uint8Array): Promise<void> {
    this.#size += chunk.length
    for (const part of this.#cutter.push(chunk)) await this.#send(Buffer.from(part))
  }

  async #finish(): Promise<void> {
    const last = this.#cutter.last()
    if (this.#uploadId === null) {
      const request = { ...this.#target, Body: last, IfNoneMatch: '*' }
      await this.#client.send(new this.#sdk.PutObjectCommand(request), this.#abortable())
      return
    }
    await this.#send(last)
    await Promise.all(this.#onTheirWay)
    await this.#complete(this.#uploadId)
  }

  async #complete(UploadId: string): Promise<void> {
    const Parts = this.#done.toSorted((one, other) => numberOf(one) - numberOf(other))
    const request = { ...this.#target, UploadId, MultipartUpload: { Parts }, IfNoneMatch: '*' }
    await this.#client.send(
      new this.#sdk.CompleteMultipartUploadCommand(request),
      this.#abortable(),
    )
  }

  /** Sends a part on its way, waiting while too many are. */
  async #send(body: Uint8Array): Promise<void> {
    this.#uploadId ??= await this.#create()
    while (this.#onTheirWay.size >= PARTS_AT_ONCE) await Promise.race(this.#onTheirWay)
    this.#partNumber += 1
    const sending = this.#sendPart(this.#uploadId, this.#partNumber, body)
    this.#onTheirWay.add(sending)
    // One that failed stays, so that whoever waits for all learns of it.
    sending.then(
      () => this.#onTheirWay.delete(sending),
      (error: Error) => this.#bytes.destroy(error),
    )
  }

  async #sendPart(UploadId: string, PartNumber: number, Body: Uint8Array): Promise<void> {
    const request = { ...this.#target, UploadId, PartNumber, Body }
    const { ETag } = await this.#client.send(
      new this.#sdk.UploadPartCommand(request),
      this.#abortable(),
    )
    this.#done.push({ PartNumber, ETag })
  }

  async #create(): Promise<string> {
    const { UploadId } = await this.#client.send(
      new this.#sdk.CreateMultipartUploadCommand(this.#target),
      this.#abortable(),
    )
    if (UploadId === undefined) throw new Error('The store gave no upload id.')
    return UploadId
  }

  async #giveUp(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#onTheirWay)
    if (this.#uploadId === null) return
    const request = { ...this.#target, UploadId: this.#uploadId }
    // What failed first is what the caller has to hear of; the bucket's rule sees to the rest.
    await this.#client.send(new this.#sdk.AbortMultipartUploadCommand(request)).catch(ignore)
  }

  #abortable(): { abortSignal: AbortSignal } {
    const signals = this.#signal === undefined ? [] : [this.#signal]
    return { abortSignal: AbortSignal.any([this.#stop.signal, ...signals]) }
  }
}

const ignore = (): void => {}

const numberOf = (part: CompletedPart): number => part.PartNumber ?? 0

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
}
