/**
 * The client of DynamoDB's JSON protocol (DynamoDB Developer Guide, "DynamoDB low-level API"). It is
 * our own because the AWS SDK's costs three times the CPU on every call, and its loading is felt in a
 * cold start; what is left out is what this room does not use. Time is bounded: a DynamoDB that
 * hangs fails the call within `totalMs`.
 */
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { CredentialProvider, Credentials } from './credentials.ts'
import { StoreUnavailable } from './repositories.ts'
import { RequestSigner } from './signature.ts'

export type OperationName =
  | 'GetItem'
  | 'PutItem'
  | 'DeleteItem'
  | 'Query'
  | 'BatchWriteItem'
  | 'CreateTable'
  | 'DescribeTable'

export interface ClientLimits {
  /** How long one attempt may take. */
  readonly attemptMs: number
  /** How long a call may take with all its attempts. */
  readonly totalMs: number
  readonly attempts: number
  /** Before the second attempt after a throttled one, doubled before each later one. */
  readonly backoffMs: number
}

const DEFAULT_LIMITS: ClientLimits = { attemptMs: 2500, totalMs: 5000, attempts: 4, backoffMs: 50 }
const MAX_SOCKETS = 128

/** DynamoDB's refusal of a request. */
export class DynamoDbError extends Error {
  override readonly name = 'DynamoDbError'
  /** Without its namespace: `ConditionalCheckFailedException`. */
  readonly code: string
  readonly status: number
  /** An earlier attempt of the same call may have taken effect without our hearing of it. */
  readonly maybeApplied: boolean

  constructor(code: string, message: string, status: number, maybeApplied: boolean) {
    super(`${code}: ${message}`)
    this.code = code
    this.status = status
    this.maybeApplied = maybeApplied
  }
}

interface Answer {
  readonly status: number
  readonly body: string
}

export class DynamoDbClient {
  readonly #endpoint: URL
  readonly #credentials: CredentialProvider
  readonly #limits: ClientLimits
  readonly #signer: RequestSigner
  readonly #agent: http.Agent
  readonly #request: typeof http.request

  /** @param options - `endpoint`: of DynamoDB, e.g. `https://dynamodb.eu-central-1.amazonaws.com` */
  constructor(options: {
    readonly endpoint: string
    readonly region: string
    readonly credentials: CredentialProvider
    readonly limits?: Partial<ClientLimits> | undefined
  }) {
    this.#endpoint = new URL(options.endpoint)
    this.#credentials = options.credentials
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#signer = new RequestSigner(options.region)
    const secure = this.#endpoint.protocol === 'https:'
    const agentOptions = { keepAlive: true, maxSockets: MAX_SOCKETS }
    this.#agent = secure ? new https.Agent(agentOptions) : new http.Agent(agentOptions)
    this.#request = secure ? https.request : http.request
  }

  /**
   * @param input - the operation's request, in DynamoDB's own JSON
   * @throws StoreUnavailable when DynamoDB throttles, fails or does not answer in time
   * @throws DynamoDbError when DynamoDB refuses the request
   */
  async call<Output>(operation: OperationName, input: object): Promise<Output> {
    const body = JSON.stringify(input)
    const deadline = Date.now() + this.#limits.totalMs
    let maybeApplied = false
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(operation, body, deadline)
        .then((answer) => outcomeOf(answer, maybeApplied))
        .catch(brokenConnection)
      if ('answer' in outcome) return outcome.answer as Output
      const { failure } = outcome
      if (failure.final) throw failure.error
      maybeApplied ||= failure.maybeApplied
      // The first retry after a broken connection is at once: a kept one may just have been closed.
      const pause = failure.broken && attempt === 1 ? 0 : this.#backoff(attempt)
      if (attempt >= this.#limits.attempts || Date.now() + pause >= deadline)
        throw new StoreUnavailable(`${operation} did not succeed.`, { cause: failure.error })
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }

  /** Closes the connections. */
  close(): void {
    this.#agent.destroy()
  }

  /** Exponential, with full jitter, so that throttled callers do not come back together. */
  #backoff(attempt: number): number {
    return Math.random() * this.#limits.backoffMs * 2 ** attempt
  }

  async #attempt(operation: OperationName, body: string, deadline: number): Promise<Answer> {
    const credentials = this.#credentials()
    return this.#exchange(
      operation,
      body,
      credentials instanceof Promise ? await credentials : credentials,
      Math.max(1, Math.min(this.#limits.attemptMs, deadline - Date.now())),
    )
  }

  #exchange(
    operation: OperationName,
    body: string,
    credentials: Credentials,
    timeoutMs: number,
  ): Promise<Answer> {
    const { host, hostname, port } = this.#endpoint
    const target = `DynamoDB_20120810.${operation}`
    const headers = this.#signer.sign({ host, target, body }, credentials, new Date())
    headers['content-length'] = String(Buffer.byteLength(body))
    return new Promise((resolve, reject) => {
      const request = this.#request({ method: 'POST', hostname, port, headers, agent: this.#agent })
      const timer = setTimeout(() => {
        request.destroy(new Error(`DynamoDB did not answer within ${timeoutMs} ms.`))
      }, timeoutMs)
      const settle = (end: () => void): void => {
        clearTimeout(timer)
        end()
      }
      request.on('error', (error) => settle(() => reject(error)))
      request.on('response', (response) => {
        readBody(response).then(
          (text) => settle(() => resolve({ status: response.statusCode ?? 0, body: text })),
          (error) => settle(() => reject(error)),
        )
      })
      request.end(body)
    })
  }
}

function readBody(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => resolve(Buffer.concat(chunks).toString()))
    response.on('error', reject)
  })
}

interface Failure {
  readonly error: Error
  /** Trying again cannot help. */
  readonly final: boolean
  readonly broken: boolean
  readonly maybeApplied: boolean
}
type Outcome = { readonly answer: unknown } | { readonly failure: Failure }

/** DynamoDB Developer Guide, "Error handling with DynamoDB": refused before anything was done. */
const THROTTLED: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
])

function outcomeOf({ status, body }: Answer, maybeApplied: boolean): Outcome {
  if (status === 200) return { answer: JSON.parse(body) }
  const { code, message } = parseRefusal(body)
  const error = new DynamoDbError(code, message, status, maybeApplied)
  const throttled = THROTTLED.has(code)
  const final = status < 500 && !throttled
  return { failure: { error, final, broken: false, maybeApplied: !throttled } }
}

const brokenConnection = (error: Error): Outcome => ({
  failure: { error, final: false, broken: true, maybeApplied: true },
})

function parseRefusal(body: string): { code: string; message: string } {
  try {
    const { __type: type, message, Message } = JSON.parse(body)
    return { code: String(type).split('#').at(-1) ?? '', message: String(message ?? Message ?? '') }
  } catch {
    return { code: 'UnreadableAnswer', message: '' }
  }
}
