/** Forms of browser uploads, built by hand and signed as a page's server would sign them. */
import { randomUUID } from 'node:crypto'
import { Agent, request as httpRequest } from 'node:http'
import { deriveSigningKey, hmac } from '../../shared/authn/signing-key.ts'
import type { RawAnswer } from './s3.ts'
import type { GivenStack } from './stack-client.ts'

export type Fields = Readonly<Record<string, string>>

export interface GivenForm {
  readonly bucket: string
  /** Besides those that sign, which are added. */
  readonly fields?: Fields
  /** Besides those that cover `fields` and the bucket, which are added. */
  readonly conditions?: readonly unknown[]
  /** In place of all conditions. */
  readonly onlyConditions?: readonly unknown[]
  readonly expiration?: string
  /** In place of the whole policy, not yet encoded. */
  readonly policy?: string
  readonly now?: Date
  readonly region?: string
  /** Put over what was made, after signing. */
  readonly spoiled?: Readonly<Record<string, string | undefined>>
}

/** @returns the fields of a form that is signed */
export function signedFields(stack: GivenStack, given: GivenForm): Record<string, string> {
  const { bucket, fields = {}, now = new Date(), region = stack.region } = given
  const date = `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
  const scope = { day: date.slice(0, 8), region, service: 's3' }
  const { accessKeyId, secretAccessKey } = stack.credentials
  const signing: Record<string, string> = {
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${accessKeyId}/${scope.day}/${region}/s3/aws4_request`,
    'x-amz-date': date,
  }
  const token = (stack.credentials as { sessionToken?: string }).sessionToken
  if (token !== undefined) signing['x-amz-security-token'] = token
  const own = Object.entries(fields).map(([name, value]) => ({ [name]: value }))
  const covering = Object.entries(signing).map(([name, value]) => ({ [name]: value }))
  const conditions = given.onlyConditions ?? [
    { bucket },
    ...own,
    ...covering,
    ...(given.conditions ?? []),
  ]
  const expiration = given.expiration ?? new Date(now.getTime() + 600_000).toISOString()
  const text = given.policy ?? JSON.stringify({ expiration, conditions })
  const policy = Buffer.from(text).toString('base64')
  const key = deriveSigningKey(Buffer.from(secretAccessKey), scope)
  const made: Record<string, string | undefined> = {
    ...fields,
    ...signing,
    policy,
    'x-amz-signature': hmac(key, policy).toString('hex'),
    ...given.spoiled,
  }
  return Object.fromEntries(
    Object.entries(made).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

/** @returns the body of a form, and its type */
export function formBody(
  fields: Fields,
  file: Uint8Array | string | null,
  filename = 'file.txt',
): { readonly body: Buffer; readonly type: string } {
  const boundary = `----${randomUUID()}`
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\nContent-Type: text/x-of-the-part\r\n\r\n`
  const body = Buffer.concat([
    Buffer.from(parts.join('')),
    ...(file === null ? [] : [Buffer.from(head), Buffer.from(file), Buffer.from('\r\n')]),
    Buffer.from(`--${boundary}--\r\n`),
  ])
  return { body, type: `multipart/form-data; boundary=${boundary}` }
}

export interface Sent {
  readonly path: string
  readonly body: Uint8Array
  readonly type: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Connections stay, as those of browsers do: a server may answer before it has the whole body. */
const agent = new Agent({ keepAlive: true })

/** Sends a form without any signature of its own. */
export function sendForm(stack: GivenStack, sent: Sent): Promise<RawAnswer> {
  const { hostname, port } = new URL(stack.endpoint)
  const headers = { 'content-type': sent.type, 'content-length': sent.body.length, ...sent.headers }
  return new Promise((resolve, reject) => {
    const options = { hostname, port, path: sent.path, method: 'POST', headers, agent }
    const outgoing = httpRequest(options, (response) => {
      const chunks: Buffer[] = []
      const done = (cut: boolean): void =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
          cut,
          continued: false,
        })
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => done(false))
      response.on('error', () => done(true))
    })
    outgoing.on('error', reject)
    outgoing.end(sent.body)
  })
}
