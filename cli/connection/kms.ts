/** AWS's own client of KMS; loading it takes longer than most calls, so only who needs it does. */
import type { KMSClient } from '@aws-sdk/client-kms'
import { Failure, Refusal } from '../problem.ts'
import type { Connection } from './connection.ts'
import { nothingAnswers, socketError } from './signed-post.ts'

/** The module, for its commands and paginators. */
export type KmsModule = typeof import('@aws-sdk/client-kms')

export interface Kms {
  readonly client: KMSClient
  readonly sdk: KmsModule
}

/** @returns a client whose errors are this program's own */
export async function openKms(connection: Connection): Promise<Kms> {
  const sdk = await import('@aws-sdk/client-kms')
  const { endpoint, region, credentials } = connection
  const client = new sdk.KMSClient({ endpoint, region, credentials })
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args)
      } catch (error) {
        throw translated(error, endpoint)
      }
    },
    { step: 'initialize', priority: 'high', name: 'ownErrors' },
  )
  return { client, sdk }

  function translated(error: unknown, endpoint: string): unknown {
    if (error instanceof sdk.KMSServiceException) {
      return new Refusal(error.name, error.message, error.$metadata.requestId ?? null)
    }
    return socketError(error) === null
      ? error
      : new Failure(nothingAnswers(endpoint, error), { cause: error })
  }
}

/** An answer of the client without what is about the transport. */
export function answerOf<Output extends { readonly $metadata: unknown }>(
  output: Output,
): Omit<Output, '$metadata'> {
  const { $metadata, ...answer } = output
  return answer
}
