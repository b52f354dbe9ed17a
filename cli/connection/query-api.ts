/** Calls of STS, which speaks AWS's Query protocol: a form in, XML out. */
import { Failure, Refusal } from '../problem.ts'
import type { Connection } from './connection.ts'
import { signedPost } from './signed-post.ts'

const VERSION = '2011-06-15'

/**
 * One call.
 * @returns what is in the operation's `…Result`, all of it text
 * @throws Refusal with AWS's name of the error, Failure when there is no answer of the service
 */
export async function callSts<Output>(
  connection: Connection,
  operation: string,
  input: Readonly<Record<string, string>>,
): Promise<Output> {
  const form = new URLSearchParams({ Action: operation, Version: VERSION, ...input })
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
  const answer = await signedPost(connection, 'sts', headers, form.toString())
  const document = await parseXml(answer.text)
  if (answer.ok) {
    const result = member(member(document, `${operation}Response`), `${operation}Result`)
    if (result !== undefined) return result as Output
  }
  const error = member(member(document, 'ErrorResponse'), 'Error')
  if (error === undefined) {
    throw new Failure(`What answers there is not Keyhold (status ${answer.status}).`)
  }
  throw new Refusal(
    String(member(error, 'Code')),
    String(member(error, 'Message') ?? ''),
    answer.requestId,
  )
}

async function parseXml(text: string): Promise<unknown> {
  const { XMLParser } = await import('fast-xml-parser')
  const parser = new XMLParser({ ignoreAttributes: true, parseTagValue: false })
  try {
    return parser.parse(text)
  } catch {
    return {}
  }
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
