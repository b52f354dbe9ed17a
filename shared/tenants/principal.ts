/** Principals: who a tenant's access keys stand for. */
import { PARTITION } from '../ids.ts'
import type { PrincipalRecord } from '../store/records.ts'

/**
 * `arn:aws:iam::111122223333:user/division/team/alice`
 * Source: IAM User Guide, "IAM identifiers".
 */
export const principalArn = ({ account, path, name }: PrincipalRecord): string =>
  `arn:${PARTITION}:iam::${account}:user${path}${name}`
