/** Signature Version 4 for one host, as cheap as it can be: the signing key of a day is kept. */
import { createHash, createHmac } from 'node:crypto'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const hmac = (key: string | Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()
const sha256 = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex')

const CONTENT_TYPE = 'application/x-amz-json-1.1'
const SIGNED = 'content-type;host;x-amz-date;x-amz-target'

/** Gives the header lines of a call: everything but the content length. */
export type Sign = (target: string, body: Uint8Array, region: string) => string

/**
 * @param host - with its port
 * @see AWS, "Create a signed AWS API request"
 */
export function signer(host: string, { accessKeyId, secretAccessKey }: Credentials): Sign {
  const keys = new Map<string, Buffer>()
  const keyOf = (day: string, region: string): Buffer => {
    const scope = `${day}/${region}`
    let key = keys.get(scope)
    if (key === undefined) {
      const ofDay = hmac(`AWS4${secretAccessKey}`, day)
      key = hmac(hmac(hmac(ofDay, region), 'kms'), 'aws4_request')
      keys.set(scope, key)
    }
    return key
  }
  return (target, body, region) => {
    const date = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
    const day = date.slice(0, 8)
    const headers = `content-type:${CONTENT_TYPE}\nhost:${host}\nx-amz-date:${date}\nx-amz-target:${target}\n`
    const scope = `${day}/${region}/kms/aws4_request`
    const canonical = sha256(`POST\n/\n\n${headers}\n${SIGNED}\n${sha256(body)}`)
    const signature = hmac(
      keyOf(day, region),
      `AWS4-HMAC-SHA256\n${date}\n${scope}\n${canonical}`,
    ).toString('hex')
    return (
      headers.replaceAll('\n', '\r\n') +
      `authorization: AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${SIGNED}, Signature=${signature}\r\n`
    )
  }
}
