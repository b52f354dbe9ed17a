/** One signed request: Signature Version 4 by the signer that AWS's own clients use. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { SignatureV4 } from '@smithy/signature-v4'
import { Failure } from '../problem.ts'
import type { Connection } from './connection.ts'

export interface Answer {
  readonly ok: boolean
  readonly status: number
  readonly text: string
  readonly requestId: string | null
}

/** A server that says nothing for this long says nothing any more. */
const SILENCE_MS = 60_000

/**
 * POST to the root of the endpoint.
 * @param service - that the request is signed for: `keyhold`, `cloudtrail`, `sts`
 * @throws Failure when nothing answers
 */
export async function signedPost(
  connection: Connection,
  service: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Answer> {
  const { endpoint, region, credentials } = connection
  const { hostname, host, port, protocol } = new URL(endpoint)
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 })
  const signed = await signer.sign({
    method: 'POST',
    protocol,
    hostname,
    ...(port === '' ? {} : { port: Number(port) }),
    path: '/',
    query: {},
    headers: { host, ...headers },
    body,
  })
  try {
    return await post(endpoint, signed.headers, body)
  } catch (error) {
    throw new Failure(nothingAnswers(endpoint, error), { cause: error })
  }
}

/** Node's own client of HTTP: `fetch` takes three times as long to load. */
async function post(
  endpoint: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Answer> {
  const { request } = await (endpoint.startsWith('https:')
    ? import('node:https')
    : import('node:http'))
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request(endpoint, { method: 'POST', headers: { ...headers }, timeout: SILENCE_MS }, resolve)
    .once('timeout', function (this: ClientRequest) {
      this.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }))
    })
    .once('error', reject)
    .end(body)
  const answer = await promise
  const status = answer.statusCode ?? 0
  return {
    ok: status >= 200 && status < 300,
    status,
    text: await text(answer),
    requestId: headerText(answer.headers['x-amzn-requestid']),
  }
}

const headerText = (value: string | readonly string[] | undefined): string | null =>
  typeof value === 'string' ? value : null

/** @param error - of Node or of an AWS client, which wraps what happened to the socket */
export function nothingAnswers(endpoint: string, error: unknown): string {
  const reason = socketError(error)
  return `Nothing answers at ${endpoint}${reason === null ? '' : ` (${reason})`}. Is it started, and is that its address?`
}

/** @returns the name of what happened to a socket, `ECONNREFUSED`; `null` when it is something else */
export function socketError(error: unknown): string | null {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code } = each as NodeJS.ErrnoException
    if (typeof code === 'string' && /^(?:E[A-Z_]+|UND_ERR_\w+)$/.test(code)) return code
  }
  return null
}

/** SHA-256, or HMAC-SHA-256 when there is a secret, as the signer asks for it. */
export class Sha256 {
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
