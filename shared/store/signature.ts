/**
 * Signature Version 4 of the one kind of request that this room sends: `POST /` with a JSON body to
 * DynamoDB. (AWS IAM User Guide, "Create a signed AWS API request".)
 */
import { createHmac, hash } from 'node:crypto'
import type { Credentials } from './credentials.ts'

export interface SignableRequest {
  /** With the port when it is not the scheme's own. */
  readonly host: string
  /** `DynamoDB_20120810.GetItem` */
  readonly target: string
  readonly body: string
}

export const CONTENT_TYPE = 'application/x-amz-json-1.0'

/** Signs for one region; keeps the signing key of the day, which four HMACs go into. */
export class RequestSigner {
  readonly #region: string
  #signingKey: { readonly day: string; readonly secret: string; readonly key: Buffer } | null = null

  constructor(region: string) {
    this.#region = region
  }

  /** @returns the headers that the request needs, signature among them */
  sign(request: SignableRequest, credentials: Credentials, now: Date): Record<string, string> {
    const time = now.toISOString().replace(/[-:]|\.\d+/g, '')
    const { token, names, lines } = signedHeaders(request, credentials, time)
    const canonicalRequest = `POST\n/\n\n${lines}\n${names}\n${hash('sha256', request.body)}`
    const scope = `${time.slice(0, 8)}/${this.#region}/dynamodb/aws4_request`
    const textToSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash('sha256', canonicalRequest)}`
    const key = this.#keyOf(time.slice(0, 8), credentials.secretAccessKey)
    const signature = createHmac('sha256', key).update(textToSign).digest('hex')
    const credential = `${credentials.accessKeyId}/${scope}`
    return {
      host: request.host,
      'content-type': CONTENT_TYPE,
      'x-amz-date': time,
      'x-amz-target': request.target,
      ...token,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
    }
  }

  #keyOf(day: string, secret: string): Buffer {
    const held = this.#signingKey
    if (held !== null && held.day === day && held.secret === secret) return held.key
    let key = hmac(`AWS4${secret}`, day)
    for (const part of [this.#region, 'dynamodb', 'aws4_request']) key = hmac(key, part)
    this.#signingKey = { day, secret, key }
    return key
  }
}

const hmac = (key: string | Buffer, data: string): Buffer =>
  createHmac('sha256', key).update(data).digest()

function signedHeaders(request: SignableRequest, credentials: Credentials, time: string) {
  const { sessionToken } = credentials
  const tokenLine = sessionToken === undefined ? '' : `x-amz-security-token:${sessionToken}\n`
  const tokenName = sessionToken === undefined ? '' : 'x-amz-security-token;'
  return {
    token: sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken },
    names: `content-type;host;x-amz-date;${tokenName}x-amz-target`,
    lines:
      `content-type:${CONTENT_TYPE}\nhost:${request.host}\nx-amz-date:${time}\n` +
      `${tokenLine}x-amz-target:${request.target}\n`,
  }
}
