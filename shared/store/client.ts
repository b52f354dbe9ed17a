/**
 * The client of DynamoDB: the AWS SDK's document client, made at the first call. Credentials,
 * signing, retries and transport are the SDK's; this file says how long they may take, and tells
 * refusals from a DynamoDB that is not available.
 */
import {
  DynamoDBClient,
  type DynamoDBClientConfig,
  DynamoDBServiceException,
} from '@aws-sdk/client-dynamodb'
import {
  type $Command,
  DynamoDBDocumentClient,
  type DynamoDBDocumentClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/lib-dynamodb'
import { StoreUnavailable } from './repositories.ts'

export interface ClientLimits {
  /** How long one attempt may take until its answer begins, and the answer then be silent. */
  readonly attemptMs: number
  /** How long a call may take with all its attempts and the pauses between them. */
  readonly totalMs: number
  readonly attempts: number
}

export interface ClientOptions {
  /** Of an embedded engine; `undefined`: AWS's own in the Region. */
  readonly endpoint: string | undefined
  readonly region: string
  readonly limits?: Partial<ClientLimits> | undefined
}

/** A command of the document client, or one of the client below it that has no items. */
export type StoreCommand<
  Input extends ServiceInputTypes,
  Output extends ServiceOutputTypes,
> = $Command<
  Input,
  Output,
  DynamoDBDocumentClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>

const DEFAULT_LIMITS: ClientLimits = { attemptMs: 2500, totalMs: 5000, attempts: 4 }
const CONNECT_MS = 1000
const MAX_SOCKETS = 128

export class StoreClient {
  readonly #config: DynamoDBClientConfig
  readonly #totalMs: number
  #client: DynamoDBClient | undefined
  #documents: DynamoDBDocumentClient | undefined

  constructor({ endpoint, region, limits }: ClientOptions) {
    const { attemptMs, totalMs, attempts } = { ...DEFAULT_LIMITS, ...limits }
    this.#totalMs = totalMs
    this.#config = {
      region,
      ...(endpoint !== undefined && embedded(endpoint)),
      // The Region's own endpoint: the one that networks are told to let through.
      accountIdEndpointMode: 'disabled',
      retryMode: 'standard',
      maxAttempts: attempts,
      requestHandler: transport(attemptMs),
    }
  }

  /**
   * Sends a command; what was throttled or broke on the way is tried again, within the limits.
   * @throws StoreUnavailable when DynamoDB throttles, fails or does not answer in time, or when there
   *   are no credentials to be had
   * @throws DynamoDBServiceException when DynamoDB refuses the request; more than one in its
   *   `$metadata.attempts` says that an earlier one may have taken effect without our hearing of it
   */
  async send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: StoreCommand<Input, Output>,
  ): Promise<Output> {
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), this.#totalMs)
    try {
      return await this.#open().send(command, { abortSignal: deadline.signal })
    } catch (error) {
      if (!deadline.signal.aborted && !isUnavailable(error)) throw error
      const { name } = command.constructor
      throw new StoreUnavailable(`${name} did not succeed.`, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Closes the connections. */
  close(): void {
    this.#client?.destroy()
  }

  #open(): DynamoDBDocumentClient {
    if (this.#documents === undefined) {
      this.#client = new DynamoDBClient(this.#config)
      // It is put together anew for every request, at a price that shows, and nobody here reads it.
      this.#client.middlewareStack.remove('getUserAgentMiddleware')
      // Every number as a `number`: the SDK would throw at fractions that it cannot hold, and the
      // codecs refuse what is no safe integer.
      const unmarshallOptions = { wrapNumbers: Number }
      this.#documents = DynamoDBDocumentClient.from(this.#client, { unmarshallOptions })
    }
    return this.#documents
  }
}

/**
 * The embedded engine checks no signature, so it gets fixed credentials: those in the user's shell
 * have no business there, and neither have its other wishes about endpoints.
 */
const embedded = (endpoint: string): DynamoDBClientConfig => ({
  endpoint,
  credentials: { accessKeyId: 'embedded', secretAccessKey: 'embedded' },
  useFipsEndpoint: false,
  useDualstackEndpoint: false,
})

/** The options of the SDK's own handler (AWS SDK for JavaScript, "Configuring maxSockets in Node.js"). */
const transport = (attemptMs: number) => ({
  connectionTimeout: Math.min(CONNECT_MS, attemptMs),
  requestTimeout: attemptMs,
  throwOnRequestTimeout: true,
  socketTimeout: attemptMs,
  httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
  httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
})

/** DynamoDB Developer Guide, "Error handling with DynamoDB". */
const THROTTLED: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
])

/** Whether a failure says nothing against the request, so that the same may succeed later. */
function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof DynamoDBServiceException)
    return error.$fault === 'server' || THROTTLED.has(error.name)
  // The SDK's retries leave their mark on all that went wrong on the way; the rest is its caller's.
  return '$metadata' in error || error.name === 'CredentialsProviderError'
}
