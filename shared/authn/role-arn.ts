/** ARNs of roles: `arn:aws:iam::111122223333:role/division/team/Deploy`. */
import { type AccountId, PARTITION, parseAccountId } from '../ids.ts'

const FORM = /^arn:([^:]*):iam::([0-9]{12}):role\/((?:[!-~]+\/)?)([\w+=,.@-]{1,64})$/

export interface RoleName {
  readonly account: AccountId
  /** `/` or `/division/team/`. */
  readonly path: string
  readonly name: string
}

/** @returns account, path and name of the role; `null` when the text is not the ARN of one */
export function splitRoleArn(arn: string): RoleName | null {
  const [, partition, owner = '', path = '', name = ''] = FORM.exec(arn) ?? []
  const account = parseAccountId(owner)
  if (partition !== PARTITION || account === null) return null
  return { account, path: `/${path}`, name }
}
