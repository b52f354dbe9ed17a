import type { Session } from '../session.ts'
import type { CallerIdentity } from './whoami.ts'

/**
 * Names for ARNs: what is not one yet is completed by the caller's account.
 * @param name - an ARN, or a name with its path: `payments/deployer`
 */
export async function ownArn(
  session: Session,
  kind: 'user' | 'role' | 'policy',
  name: string,
): Promise<string> {
  if (name.startsWith('arn:')) return name
  const { Account } = await session.sts<CallerIdentity>('GetCallerIdentity')
  return `arn:aws:iam::${Account}:${kind}/${name.replace(/^\//, '')}`
}
