/** One signed request about an object that no operation of S3 is: JSON there and back. */
import { SignatureV4 } from '@smithy/signature-v4'
import { Failure, Refusal } from '../problem.ts'
import type { Connection } from './connection.ts'
import { nothingAnswers, Sha256 } from './signed-post.ts'

/**
 * @param query - by name; the first one is what is asked for
 * @returns the answer; `null` when that is not offered there
 * @throws Refusal; Failure when nothing answers
 */
export async function signedObjectRequest<Output>(
  connection: Connection,
  method: 'POST' | 'PUT',
  { bucket, key }: { readonly bucket: string; readonly key: string },
  query: Readonly<Record<string, string>>,
  input?: object,
): Promise<Output | null> {
  const { endpoint, region, credentials } = connection
  const { host, hostname, port, protocol } = new URL(endpoint)
  const path = `/${[bucket, ...key.split('/')].map(percentEncode).join('/')}`
  const body = input === undefined ? '' : JSON.stringify(input)
  const signer = new SignatureV4({
    service: 's3',
    region,
    credentials,
    sha256: Sha256,
    uriEscapePath: false,
  })
  const signed = await signer.sign({
    method,
    protocol,
    hostname,
    ...(port === '' ? {} : { port: Number(port) }),
    path,
    query: { ...query },
    headers: { host, 'content-type': 'application/json' },
    body,
  })
  const search = Object.entries(query)
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join('&')
  const answer = await send(endpoint, `${path}?${search}`, {
    method,
    headers: signed.headers,
    body,
  })
  const text = await answer.text()
  if (answer.ok) return JSON.parse(text) as Output
  if (answer.status === 501 || answer.status === 405) return null
  throw refusalOf(text, answer)
}

async function send(endpoint: string, target: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(`${endpoint}${target}`, request)
  } catch (error) {
    throw new Failure(nothingAnswers(endpoint, error), { cause: error })
  }
}

/** S3 tells errors in XML. */
function refusalOf(text: string, { status, headers }: Response): Refusal {
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  const code = element('Code') ?? `HTTP ${status}`
  return new Refusal(code, element('Message') ?? '', headers.get('x-amz-request-id'))
}

/** RFC 3986 section 2.3: all but the unreserved characters. */
const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
