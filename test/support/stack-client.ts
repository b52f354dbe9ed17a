/** The stack that runs for all tests, and AWS's own clients for it. */
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail'
import { KMSClient } from '@aws-sdk/client-kms'
import { S3Client } from '@aws-sdk/client-s3'
import { STSClient } from '@aws-sdk/client-sts'
import { inject } from 'vitest'
import type { ProvidedStack } from './global-stack.ts'

export interface GivenStack {
  readonly endpoint: string
  readonly account: string
  readonly dataDir: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  kms(): KMSClient
  s3(): S3Client
  sts(): STSClient
  cloudtrail(): CloudTrailClient
}

/**
 * The stack that test/support/global-stack.ts started. Each client is a new one.
 * @param region - that the clients sign for; the stack serves us-east-1, us-west-2 and eu-west-1
 */
export function givenStack(region = 'us-east-1'): GivenStack {
  return clientsOf(inject('stack'), region)
}

/** The same for any stack. */
export function clientsOf(stack: ProvidedStack, region = 'us-east-1'): GivenStack {
  const { endpoint, account, dataDir, accessKeyId, secretAccessKey } = stack
  const credentials = { accessKeyId, secretAccessKey }
  const config = { endpoint, region, credentials }
  return {
    endpoint,
    account,
    dataDir,
    region,
    credentials,
    kms: () => new KMSClient(config),
    s3: () => new S3Client({ ...config, forcePathStyle: true }),
    sts: () => new STSClient(config),
    cloudtrail: () => new CloudTrailClient(config),
  }
}
