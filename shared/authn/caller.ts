/** Who makes a call, once the signature is verified. */
import type { AccessKeyId, AccountId, PrincipalId } from '../ids.ts'
import type { PolicyDocument } from '../store/records.ts'
import type { ActiveAccessKey } from '../tenants/access-keys.ts'
import { principalArn } from '../tenants/principal.ts'

export interface Caller {
  readonly account: AccountId
  readonly kind: 'User'
  /** `arn:aws:iam::111122223333:user/admin` */
  readonly arn: string
  readonly principalId: PrincipalId
  readonly userName: string
  readonly accessKeyId: AccessKeyId
  /** Identity policies as text; the evaluator compiles each text once. */
  readonly policies: readonly PolicyDocument[]
}

/** The caller that an access key stands for. Only a verified signature may lead here. */
export const callerOf = ({ record, principal }: ActiveAccessKey): Caller => ({
  account: principal.account,
  kind: principal.kind,
  arn: principalArn(principal),
  principalId: principal.principalId,
  userName: principal.name,
  accessKeyId: record.accessKeyId,
  policies: principal.policies,
})
