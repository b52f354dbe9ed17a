/** AWS's own client of S3; only who moves objects loads it. */
import type { S3Client } from '@aws-sdk/client-s3'
import { Failure, Refusal } from '../problem.ts'
import type { Connection } from './connection.ts'
import { nothingAnswers, socketError } from './signed-post.ts'

/** The module, for its commands and paginators. */
export type S3Module = typeof import('@aws-sdk/client-s3')

export interface S3 {
  readonly client: S3Client
  readonly sdk: S3Module
  readonly connection: Connection
}

/** @returns a client whose errors are this program's own */
export async function openS3(connection: Connection): Promise<S3> {
  const sdk = await import('@aws-sdk/client-s3')
  const { endpoint, region, credentials } = connection
  const client = new sdk.S3Client({ endpoint, region, credentials, forcePathStyle: true })
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
  return { client, sdk, connection }

  function translated(error: unknown, endpoint: string): unknown {
    if (error instanceof sdk.S3ServiceException) {
      return new Refusal(error.name, error.message, error.$metadata.requestId ?? null)
    }
    return socketError(error) === null
      ? error
      : new Failure(nothingAnswers(endpoint, error), { cause: error })
  }
}
