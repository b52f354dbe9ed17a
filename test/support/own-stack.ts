/** A stack of a test's own, as a child process that can be killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail'
import { KMSClient } from '@aws-sdk/client-kms'
import { S3Client } from '@aws-sdk/client-s3'

const MAIN = join(import.meta.dirname, '../../infra/local/main.ts')
const ENDPOINT = /http:\/\/127\.0\.0\.1:\d+/

export const ownCredentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

export interface OwnStack {
  readonly endpoint: string
  readonly kms: KMSClient
  readonly s3: S3Client
  readonly cloudTrail: CloudTrailClient
  readonly process: ChildProcess
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

/** @param dataDir - kept; a later stack on the same directory continues with what is there */
export async function startOwnStack(
  dataDir: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<OwnStack> {
  const child = spawn(process.execPath, [MAIN, '--port', '0', '--data-dir', dataDir], {
    env: {
      ...process.env,
      KEYHOLD_ACCESS_KEY_ID: ownCredentials.accessKeyId,
      KEYHOLD_SECRET_ACCESS_KEY: ownCredentials.secretAccessKey,
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const endpoint = await endpointOf(child)
  const client = { endpoint, region: 'us-east-1', credentials: ownCredentials, maxAttempts: 1 }
  return {
    endpoint,
    kms: new KMSClient(client),
    s3: new S3Client({ ...client, forcePathStyle: true }),
    cloudTrail: new CloudTrailClient(client),
    process: child,
    async kill() {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** What the child prints once it serves; its own words when it ends before that. */
function endpointOf(child: ChildProcess): Promise<string> {
  let printed = ''
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      printed += chunk
      const endpoint = ENDPOINT.exec(printed)?.[0]
      if (endpoint !== undefined) resolve(endpoint)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', (chunk: Buffer) => {
      printed += chunk
    })
    child.once('exit', (code) => reject(new Error(`The stack ended with ${code}: ${printed}`)))
  })
}
