/** Calls of the API of tenants and principals, signed by the public signer: what a client sends. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'

export interface KeyholdCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** What came back: the answer, or the error by its name and message. */
export interface KeyholdAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/**
 * One call of an operation.
 * @param target - where the stack is, as whom, and in which Region the call is signed
 */
export async function callKeyhold(
  target: {
    readonly endpoint: string
    readonly region?: string
    readonly credentials: KeyholdCredentials
  },
  operation: string,
  input: object = {},
): Promise<KeyholdAnswer> {
  const { hostname, host, port, protocol } = new URL(target.endpoint)
  const signer = new SignatureV4({
    service: 'keyhold',
    region: target.region ?? 'us-east-1',
    credentials: target.credentials,
    sha256: Sha256,
  })
  const body = JSON.stringify(input)
  const signed = await signer.sign({
    method: 'POST',
    protocol,
    hostname,
    port: Number(port),
    path: '/',
    query: {},
    headers: {
      host,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Keyhold.${operation}`,
    },
    body,
  })
  const answer = await fetch(target.endpoint, { method: 'POST', headers: signed.headers, body })
  return { status: answer.status, body: JSON.parse((await answer.text()) || '{}') }
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
    ? Buffer.from(data)
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}
