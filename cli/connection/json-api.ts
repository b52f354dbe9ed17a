/** Calls of the services that speak AWS JSON 1.1. */
import { Failure, Refusal } from '../problem.ts'
import type { Connection } from './connection.ts'
import { type Answer, signedPost } from './signed-post.ts'

export interface JsonService {
  /** That calls are signed for. */
  readonly name: string
  /** Before the operation's name in the header that says which it is. */
  readonly target: string
}

export const KEYHOLD: JsonService = { name: 'keyhold', target: 'Keyhold' }
export const CLOUDTRAIL: JsonService = {
  name: 'cloudtrail',
  target: 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101',
}

/**
 * One call.
 * @param input - as the API has it; a Date travels as seconds since the epoch
 * @returns the answer, with dates where the API has seconds
 * @throws Refusal with AWS's name of the error, Failure when there is no answer of the service
 */
export async function callJson<Output>(
  connection: Connection,
  service: JsonService,
  operation: string,
  input: object,
): Promise<Output> {
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `${service.target}.${operation}`,
  }
  const answer = await signedPost(connection, service.name, headers, encode(input))
  if (!answer.ok) throw refusalOf(answer)
  return parseAnswer(answer) as Output
}

/** Pages of a list: those of IAM are marked, those of CloudTrail have a token. */
interface Page {
  readonly IsTruncated?: boolean
  readonly Marker?: string
  readonly NextToken?: string
}

/**
 * @param progress - is told how many there are so far
 * @returns what all pages of a list have under `member`
 */
export async function* pagesOf<Entry>(
  call: (input: object) => Promise<object>,
  member: string,
  input: object,
): AsyncGenerator<readonly Entry[]> {
  for (let next: object | null = {}; next !== null; ) {
    const page: Page & Readonly<Record<string, unknown>> = {
      ...(await call({ ...input, ...next })),
    }
    yield (page[member] ?? []) as readonly Entry[]
    next = nextOf(page)
  }
}

function nextOf({ IsTruncated, Marker, NextToken }: Page): object | null {
  if (NextToken) return { NextToken }
  return Marker && IsTruncated !== false ? { Marker } : null
}

/** JSON.stringify asks dates themselves first, so they are replaced before it sees them. */
const encode = (input: object): string =>
  JSON.stringify(input, function (this: Record<string, unknown>, name, value) {
    const given = this[name]
    return given instanceof Date ? given.getTime() / 1000 : value
  })

const IS_DATE = /(?:Date|Time|Expiration)$/

function parseAnswer({ text, status }: Answer): object {
  let answer: unknown = null
  try {
    answer = JSON.parse(text || '{}', (name, value) =>
      typeof value === 'number' && IS_DATE.test(name) ? new Date(value * 1000) : value,
    )
  } catch {} // no JSON is as little an answer as JSON that is no object
  if (typeof answer === 'object' && answer !== null) return answer
  throw new Failure(`What answers there is not Keyhold (status ${status}).`)
}

function refusalOf(answer: Answer): Refusal {
  const body: Readonly<Record<string, unknown>> = { ...parseAnswer(answer) }
  const code = String(body.__type ?? `HTTP ${answer.status}`).replace(/^.*#/, '')
  return new Refusal(code, String(body.message ?? body.Message ?? ''), answer.requestId)
}
