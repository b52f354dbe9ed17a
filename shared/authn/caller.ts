/** Who makes a call, once the signature is verified. */
import type { AccessKeyId, AccountId, PrincipalId } from '../ids.ts'
import type { PolicyDocument } from '../store/records.ts'

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
