/**
 * Makes the first operator of a deployment. It has no route: whoever may invoke functions of the account
 * that the deployment is in calls it by hand, once.
 */
import { environment } from '../../shared/lambda/environment.ts'
import { requireOperator } from '../../shared/tenants/operator.ts'

export interface BootstrapAnswer {
  readonly account: string
  readonly userArn: string
  readonly accessKeyId: string
  /** Only in the answer to the call that made it. */
  readonly secretAccessKey?: string
}

/** @returns the operator's credentials; without the secret when they were made before */
export const handler = async (): Promise<BootstrapAnswer> => {
  const { services, accessKeys } = await environment()
  const { store, tenantKeys, wallClock: clock } = services
  const made = await requireOperator({ tenants: store.tenants, tenantKeys, accessKeys, clock })
  const { account, userArn, accessKeyId, secretAccessKey, created } = made
  return { account, userArn, accessKeyId, ...(created ? { secretAccessKey } : {}) }
}
