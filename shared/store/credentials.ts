/** With whose credentials the store calls DynamoDB. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export type CredentialProvider = () => Credentials | Promise<Credentials>

/**
 * The embedded engine checks no signature, so it gets fixed ones: the credentials in the user's
 * shell have no business there.
 */
export const embeddedCredentials: CredentialProvider = () => ({
  accessKeyId: 'embedded',
  secretAccessKey: 'embedded',
})

/**
 * As the AWS SDKs do: the environment's, which is all that Lambda has, otherwise the SDK's default
 * chain (profiles, containers, instances; AWS SDKs and Tools Reference Guide, "Standardized
 * credential providers"). The SDK is loaded only in that case and renews what expires.
 */
export function defaultCredentials(env: NodeJS.ProcessEnv = process.env): CredentialProvider {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_PROFILE: profile,
  } = env
  if (accessKeyId && secretAccessKey && !profile) {
    const credentials = { accessKeyId, secretAccessKey, sessionToken: sessionToken || undefined }
    return () => credentials
  }
  let chain: Promise<() => Promise<Credentials>> | undefined
  return async () => {
    chain ??= sdkChain().catch((error: unknown) => {
      chain = undefined
      throw error
    })
    return (await chain)()
  }
}

async function sdkChain(): Promise<() => Promise<Credentials>> {
  const { DynamoDBClient } = await import('@aws-sdk/client-dynamodb')
  return new DynamoDBClient({}).config.credentials
}
