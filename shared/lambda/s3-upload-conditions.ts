/**
 * What policies can ask of parts and completions about their encryption. The requests themselves
 * carry no such headers, so a policy that demands them would refuse every part of an upload that it
 * had allowed; what counts is how the upload began.
 */
import { SSE, SSE_C_ALGORITHM, SSE_KEY_ID } from '../blobs/requested-encryption.ts'
import type { Call } from '../pipeline/operation.ts'
import type { ObjectEncryption } from '../store/records.ts'
import type { S3Request } from './s3-request.ts'

/**
 * @param policy - of the bucket
 * @returns condition values by name; nothing where no policy asks
 */
export async function uploadConditions(
  request: S3Request,
  policy: string | null,
  { caller, services }: Call,
): Promise<Readonly<Record<string, string>>> {
  const own = [...caller.policies, ...(caller.sessionPolicies ?? []), caller.boundary]
  const texts = [policy, ...own.map((document) => document?.document ?? null)]
  if (!texts.some((text) => text?.toLowerCase().includes(SSE))) return {}
  const { account, bucket, key } = request
  const uploadId = request.parameter('uploadId') ?? ''
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(uploadId)) return {}
  const upload = await services.store.uploads.get(account, bucket, uploadId)
  return upload?.key === key ? encryptionConditions(upload.encryption) : {}
}

function encryptionConditions(encryption: ObjectEncryption): Readonly<Record<string, string>> {
  switch (encryption.mode) {
    case 'SSE-S3':
      return { [`s3:${SSE}`]: 'AES256' }
    case 'SSE-KMS':
      return { [`s3:${SSE}`]: 'aws:kms', [`s3:${SSE_KEY_ID}`]: encryption.keyArn }
    case 'DSSE-KMS':
      return { [`s3:${SSE}`]: 'aws:kms:dsse', [`s3:${SSE_KEY_ID}`]: encryption.keyArn }
    case 'SSE-C':
      return { [`s3:${SSE_C_ALGORITHM}`]: 'AES256' }
    default:
      return encryption satisfies never
  }
}
