/** What tests of S3 start from: a bucket, and requests that no SDK would send. */
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3'
import { SignatureV4 } from '@smithy/signature-v4'
import { percentEncode } from '../../shared/authn/percent-encoding.ts'
import type { GivenStack } from './stack-client.ts'

/** @returns the name of a new bucket */
export async function givenBucket(s3: S3Client, region?: string): Promise<string> {
  const Bucket = `test-${randomUUID()}`
  const location = region === undefined ? {} : { LocationConstraint: region as 'eu-west-1' }
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: location }))
  return Bucket
}

class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>
  constructor(secret?: unknown) {
    this.#hash =
      secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Uint8Array)
  }
  update(data: unknown): void {
    this.#hash.update(data as Uint8Array)
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
}

export interface RawRequest {
  readonly method: string
  /** Percent-encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** `x-amz-content-sha256`; default: the hash of the body. */
  readonly payload?: string
  readonly body?: Uint8Array
  /** Sent without being signed. */
  readonly unsigned?: Readonly<Record<string, string>>
  /** Bytes after which the client hangs up. */
  readonly hangUpAfter?: number
}

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Whether the connection broke before the body was complete. */
  readonly cut: boolean
  /** Whether the server asked for the body, where it was asked to. */
  readonly continued: boolean
}

/** Sends a signed request exactly as given. */
export async function sendRaw(stack: GivenStack, raw: RawRequest): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(stack.endpoint)
  const body = Buffer.from(raw.body ?? [])
  const payload = raw.payload ?? createHash('sha256').update(body).digest('hex')
  const signer = new SignatureV4({
    service: 's3',
    region: stack.region,
    credentials: stack.credentials,
    sha256: Sha256 as never,
    uriEscapePath: false,
    applyChecksum: false,
  })
  const signed = await signer.sign({
    protocol: 'http:',
    hostname,
    port: Number(port),
    method: raw.method,
    path: raw.path,
    query: { ...raw.query },
    headers: { host, 'x-amz-content-sha256': payload, ...raw.headers },
  })
  const query = Object.entries(raw.query ?? {})
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join('&')
  const path = query === '' ? raw.path : `${raw.path}?${query}`
  return exchange(
    { hostname, port, path, headers: { ...onTheWire(signed.headers), ...raw.unsigned } },
    raw,
    body,
  )
}

/** Node sends each character of a header as one byte. */
const onTheWire = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Buffer.from(value).toString('latin1')]),
  )

function exchange(
  target: {
    readonly hostname: string
    readonly port: string
    readonly path: string
    readonly headers: Record<string, string>
  },
  { method, hangUpAfter }: RawRequest,
  body: Buffer,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let continued = false
    const length = method === 'GET' || method === 'HEAD' ? {} : { 'content-length': body.length }
    const headers = { ...length, ...target.headers }
    const outgoing = httpRequest({ ...target, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      const done = (cut: boolean): void =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
          cut,
          continued,
        })
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => done(false))
      response.on('error', () => done(true))
    })
    outgoing.on('error', reject)
    const waits = 'expect' in headers && headers.expect === '100-continue'
    outgoing.on('continue', () => {
      continued = true
      outgoing.end(body)
    })
    if (hangUpAfter !== undefined) {
      outgoing.write(body.subarray(0, hangUpAfter), () => setTimeout(() => outgoing.destroy(), 50))
    } else if (waits) outgoing.flushHeaders()
    else outgoing.end(body)
  })
}

/** @returns the text of the first element of that name in an XML body */
export const xmlText = (body: Uint8Array, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(Buffer.from(body).toString())?.[1]
