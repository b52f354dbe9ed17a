/** A URL by which somebody else may store one blob (Amazon S3 User Guide, "Uploading objects with presigned URLs"). */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3'
import { SignatureV4 } from '@smithy/signature-v4'

/** What is to be sent: to this URL, by PUT, with these headers. */
export interface PresignedPut {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

interface Addressed {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
}

/**
 * @param seconds - for how long it may be used; a name that is taken is refused in any case
 * @throws what the client fails with when it has no credentials
 */
export async function presignPut(
  client: S3Client,
  sdk: typeof import('@aws-sdk/client-s3'),
  target: Pick<PutObjectCommandInput, 'Bucket' | 'Key'>,
  seconds: number,
): Promise<PresignedPut> {
  const { protocol, hostname, port, path } = await addressOf(client, sdk, target)
  const signer = new SignatureV4({
    service: 's3',
    region: client.config.region,
    credentials: client.config.credentials,
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  })
  const host = port === undefined ? hostname : `${hostname}:${port}`
  const once = { 'if-none-match': '*' }
  const headers = { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...once }
  const request = { method: 'PUT', protocol, hostname, path, query: {}, headers }
  const withPort = port === undefined ? request : { ...request, port }
  const { query = {} } = await signer.presign(withPort, { expiresIn: seconds })
  const search = new URLSearchParams(query as Record<string, string>)
  return { url: `${protocol}//${host}${path}?${search}`, headers: once }
}

/** Where the client would send the request: nothing is sent. */
async function addressOf(
  client: S3Client,
  sdk: typeof import('@aws-sdk/client-s3'),
  target: Pick<PutObjectCommandInput, 'Bucket' | 'Key'>,
): Promise<Addressed> {
  const command = new sdk.HeadObjectCommand({ Bucket: target.Bucket, Key: target.Key })
  let found: Addressed | undefined
  command.middlewareStack.add(
    () => async (args) => {
      found = args.request as Addressed
      return { output: { $metadata: {} }, response: {} }
    },
    { step: 'build', priority: 'low', name: 'addressOnly' },
  )
  await client.send(command)
  if (found === undefined) throw new Error('The client did not say where it sends to.')
  return found
}

/** SHA-256 as the signer asks for it. */
class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data))
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {}
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
