/** Calls as bytes: what clients cannot or will not send, signed by AWS's signer where it has to be. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { SignatureV4 } from '@smithy/signature-v4'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface RawRequest {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface SigningTarget {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined
        ? createHash('sha256')
        : createHmac('sha256', secret as NodeJS.ArrayBufferView)
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(data as string | Uint8Array)
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {}
}

/** Sends the request as it is. */
export function send(endpoint: string, raw: RawRequest): Promise<Answer> {
  const { method = 'POST', path = '/', headers = {}, body = '' } = raw
  return new Promise((resolve, reject) => {
    const sent = request(
      endpoint,
      {
        method,
        path,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        timeout: 10_000,
      },
      async (response) => {
        try {
          const { statusCode = 0, headers: received } = response
          resolve({ status: statusCode, headers: received, body: await text(response) })
        } catch (error) {
          reject(error)
        }
      },
    )
    sent.on('timeout', () => sent.destroy(new Error('No answer came.')))
    sent.on('error', reject)
    sent.end(body)
  })
}

/** @returns the request's headers with a signature over all of them and the body */
export async function signed(
  { endpoint, region, credentials }: SigningTarget,
  raw: RawRequest,
  { service = 'kms', signingDate = new Date() }: { service?: string; signingDate?: Date } = {},
): Promise<Record<string, string>> {
  const { hostname, host, pathname, searchParams } = new URL(raw.path ?? '/', endpoint)
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 })
  const { headers } = await signer.sign(
    {
      method: raw.method ?? 'POST',
      protocol: 'http:',
      hostname,
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: { host, ...raw.headers },
      body: raw.body ?? '',
    },
    { signingDate },
  )
  return headers
}

/** The headers of a KMS call without a signature. */
export const kmsHeaders = (operation: string): Record<string, string> => ({
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-target': `TrentService.${operation}`,
})

/**
 * A signed call of a KMS operation with any body.
 * @param body - JSON as text, or a value that is made JSON
 */
export async function callKms(
  target: SigningTarget,
  operation: string,
  body: unknown,
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const headers = await signed(target, { headers: kmsHeaders(operation), body: text })
  return send(target.endpoint, { headers, body: text })
}

/** The status and the JSON body of an answer. */
export const jsonOf = ({ status, body }: Answer): { status: number; json: unknown } => ({
  status,
  json: body === '' ? null : JSON.parse(body),
})
