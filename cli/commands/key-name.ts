import type { KeyMetadata } from '@aws-sdk/client-kms'
import type { Session } from '../session.ts'

/** @param key - id, ARN, alias name or ARN of an alias */
export async function describe(session: Session, key: string): Promise<KeyMetadata> {
  const { client, sdk } = await session.kms()
  const { KeyMetadata } = await client.send(new sdk.DescribeKeyCommand({ KeyId: key }))
  if (KeyMetadata === undefined) throw new TypeError('DescribeKey answered without metadata')
  return KeyMetadata
}

/** Many operations of KMS take no alias, people prefer them. @returns the key's id or ARN */
export async function keyIdOf(session: Session, key: string): Promise<string> {
  if (!/^(?:arn:[^:]*:kms:[^:]*:[^:]*:)?alias\//.test(key)) return key
  const { Arn = key } = await describe(session, key)
  return Arn
}
