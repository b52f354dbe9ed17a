/**
 * A request to S3 as its operations read it (Amazon S3 API Reference, "Common request headers",
 * "Virtual hosting of buckets"). Names are decoded once and never normalised.
 */
import type { Readable } from 'node:stream'
import { decodedQuery } from '../authn/canonical-query.ts'
import type { Payload } from '../authn/payload.ts'
import { payloadStream, trailersOf } from '../authn/payload-stream.ts'
import { percentDecode, percentEncode } from '../authn/percent-encoding.ts'
import { S3Error } from '../blobs/s3-error.ts'
import { type AccountId, type BucketName, bucketNameOf, PARTITION } from '../ids.ts'
import type { BucketRecord, CorsRule } from '../store/records.ts'
import type { BucketRepository } from '../store/repositories.ts'
import type { BlobExchange } from './exchange.ts'
import type { OriginHead } from './origin.ts'
import { isBucketName, requireBucketName } from './s3-bucket-name.ts'

const MAX_KEY_BYTES = 1024

/** What is known of a request once its signature is verified. */
export interface S3RequestFacts {
  readonly origin: OriginHead
  readonly account: AccountId
  readonly payload: Payload
  readonly presigned: boolean
  readonly exchange: Pick<BlobExchange, 'body' | 'signal'>
  /** The fields of the form that the request is, where it is one. */
  readonly form?: ReadonlyMap<string, string>
}

/** The data of a body, without what its transport put around it. */
export interface S3Body {
  readonly data: Readable
  /** Lower-case name → value; to be asked when the data has ended. */
  trailers(): ReadonlyMap<string, string>
}

export class S3Request {
  readonly account: AccountId
  readonly method: string
  /** The authority that the client spoke to. */
  readonly host: string
  readonly secure: boolean
  readonly presigned: boolean
  /** By lower-case name; `null` when the request is no form. */
  readonly form: ReadonlyMap<string, string> | null
  /** Empty for an operation on no bucket. */
  readonly bucket: BucketName
  /** Empty for an operation on no object. */
  readonly key: string
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
  readonly #headers: OriginHead['request']['headers']
  readonly #parameters: ReadonlyMap<string, string>
  readonly #hoisted: ReadonlyMap<string, string>
  readonly #payload: Payload
  readonly #isBucketInHost: boolean
  readonly #exchange: S3RequestFacts['exchange']
  #received: Readable | null = null
  #bucketRecord: Promise<BucketRecord | null> | null = null

  /** @throws S3Error InvalidURI, KeyTooLongError */
  constructor({ origin, account, payload, presigned, exchange, form }: S3RequestFacts) {
    const { request } = origin
    const { bucket, key } = requestAddress(origin)
    this.account = account
    this.method = request.method
    this.host = request.headers.get('host')?.[0] ?? ''
    this.secure = origin.secure
    this.presigned = presigned
    this.form = form ?? null
    this.bucket = bucket
    this.key = key
    this.signal = exchange.signal
    this.#headers = request.headers
    this.#parameters = parametersOf(request.query)
    this.#hoisted = presigned ? hoistedHeaders(this.#parameters) : new Map()
    this.#payload = payload
    this.#isBucketInHost = origin.bucket !== ''
    this.#exchange = exchange
  }

  get bucketArn(): string {
    return `arn:${PARTITION}:s3:::${this.bucket}`
  }

  get objectArn(): string {
    return `${this.bucketArn}/${this.key}`
  }

  /** As the client could ask for it: scheme, host and the path in its one spelling. */
  get url(): string {
    const names = [...(this.#isBucketInHost ? [] : [this.bucket]), ...this.key.split('/')]
    const path = names.map(percentEncode).join('/')
    return `${this.secure ? 'https' : 'http'}://${this.host}/${path}`
  }

  /** Version 2 only ever signs forms. */
  get signatureVersion(): 'SigV2' | 'SigV4' {
    return this.form === null || this.form.has('x-amz-signature') ? 'SigV4' : 'SigV2'
  }

  /** A query parameter, decoded; empty when it stands there without a value. */
  readonly parameter = (name: string): string | undefined => this.#parameters.get(name)

  /**
   * A header; what came more than once is joined by commas. A presigned URL may carry `x-amz-`
   * headers as parameters (Amazon S3 API, "Authenticating requests: using query parameters").
   * @param name - lower case
   */
  readonly header = (name: string): string | undefined =>
    this.#headers.get(name)?.join(',') ?? this.#hoisted.get(name)

  /** What a presigned URL carries in place of a header. */
  readonly hoisted = (name: string): string | undefined => this.#hoisted.get(name)

  /** Lower-case names of all headers, those that a presigned URL carries included. */
  headerNames(): Iterable<string> {
    if (this.#hoisted.size === 0) return this.#headers.keys()
    return new Set([...this.#headers.keys(), ...this.#hoisted.keys()])
  }

  /**
   * @returns the bucket, looked up once; strongly consistent
   * @throws S3Error InvalidBucketName, NoSuchBucket
   */
  async requireBucket(buckets: BucketRepository): Promise<BucketRecord> {
    requireBucketName(this.bucket)
    this.#bucketRecord ??= buckets.get(this.account, this.bucket)
    const found = await this.#bucketRecord
    if (found !== null) return found
    throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', {
      BucketName: this.bucket,
    })
  }

  /**
   * The policy of the bucket, where the request names one that the account has.
   * @throws StoreUnavailable
   */
  async bucketPolicy(buckets: BucketRepository): Promise<string | null> {
    if (!isBucketName(this.bucket)) return null
    this.#bucketRecord ??= buckets.get(this.account, this.bucket)
    return (await this.#bucketRecord)?.policy ?? null
  }

  /** The rules for pages of other origins that the bucket has, where there is such a bucket. */
  async corsRules(buckets: BucketRepository): Promise<readonly CorsRule[]> {
    if (!isBucketName(this.bucket)) return []
    this.#bucketRecord ??= buckets.get(this.account, this.bucket)
    return (await this.#bucketRecord)?.settings.cors ?? []
  }

  /**
   * Bytes of data that are announced; `null` when the body tells only by its end.
   * @throws S3Error InvalidRequest when what is announced is not a number
   */
  announcedLength(): number | null {
    const isChunked = this.#payload.kind !== 'hash' && this.#payload.kind !== 'unsigned'
    const name = isChunked ? 'x-amz-decoded-content-length' : 'content-length'
    const text = this.header(name)
    if (text === undefined) return null
    const length = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (Number.isSafeInteger(length)) return length
    throw new S3Error('InvalidRequest', `The value of ${name} is not a number.`)
  }

  /** @throws S3Error MissingContentLength when neither a length nor a framing tells where the body ends */
  requireLength(): void {
    const { kind } = this.#payload
    if ((kind === 'hash' || kind === 'unsigned') && this.announcedLength() === null) {
      throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.')
    }
  }

  /** Asks the client for its body. To be called once, when nothing is left that could refuse it. */
  body(): S3Body {
    this.#received = this.#exchange.body()
    const data = payloadStream(this.#received, this.#payload, this.announcedLength())
    return { data, trailers: () => trailersOf(data) }
  }

  /** Whether the client went away before its body was complete. */
  isBodyBroken(): boolean {
    return this.signal.aborted || (this.#received?.errored ?? null) !== null
  }

  /** Gives up what was not read of the body, so that a client that is still sending gets its answer. */
  discardBody(): void {
    this.#received?.destroy()
  }
}

/**
 * @returns what a request is about; both may be empty
 * @throws S3Error InvalidURI, KeyTooLongError
 */
export function requestAddress({
  request,
  bucket: named,
}: Pick<OriginHead, 'request' | 'bucket'>): {
  readonly bucket: BucketName
  readonly key: string
} {
  const { bucket, key } = addressOf(request.path, named)
  return { bucket: bucketNameOf(bucket), key }
}

/**
 * The host may name the bucket, and the whole path is the key then. Path style: `/bucket/key`; `/b`
 * and `/b/` both name the bucket.
 */
function addressOf(path: string, named: string): { readonly bucket: string; readonly key: string } {
  const slash = named === '' ? path.indexOf('/', 1) : 0
  const bucket = named || decode(slash === -1 ? path.slice(1) : path.slice(1, slash), path)
  const key = slash === -1 ? '' : decode(path.slice(slash + 1), path)
  const size = Buffer.byteLength(key)
  if (size <= MAX_KEY_BYTES) return { bucket, key }
  throw new S3Error('KeyTooLongError', 'Your key is too long', {
    Size: size,
    MaxSizeAllowed: MAX_KEY_BYTES,
  })
}

function decode(text: string, uri: string): string {
  const decoded = percentDecode(text)
  if (decoded === null) throw invalidUri(uri)
  return decoded
}

/** Of a name that comes more than once, the first counts. */
function parametersOf(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  const decoded = decodedQuery(query)
  if (decoded === null) throw invalidUri(query)
  for (const { name, value } of decoded) if (!parameters.has(name)) parameters.set(name, value)
  return parameters
}

const hoistedHeaders = (parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map(
    Array.from(parameters, ([name, value]) => [name.toLowerCase(), value] as const).filter(
      ([name]) => name.startsWith('x-amz-'),
    ),
  )

const invalidUri = (uri: string): S3Error =>
  new S3Error('InvalidURI', "Couldn't parse the specified URI.", { URI: uri })
