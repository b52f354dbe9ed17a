/** What only principals of the operator tenant may do. */
import { JsonError } from '../errors.ts'
import { type AccountId, PARTITION, parseAccountId } from '../ids.ts'
import type { LifecycleServices } from '../tenants/lifecycle.ts'
import type { Call, Permission } from './operation.ts'
import { string } from './shape.ts'

export const accountId = string({ min: 12, max: 12, pattern: /^\d{12}$/ })

/** An account id that its shape has accepted. */
export const accountOf = (text: string): AccountId => parseAccountId(text) as AccountId

/**
 * The permission that an operator needs; nobody else can have it, whatever its policies say.
 * @param account - of the tenant that it is about
 * @throws JsonError AccessDeniedException for principals of teams
 */
export function operatorPermission(
  action: `keyhold:${string}`,
  account: string | null,
  { caller }: Call,
): readonly Permission[] {
  if (!caller.operator) {
    throw new JsonError(
      'AccessDeniedException',
      `User: ${caller.arn} is not authorized to perform: ${action} because only principals of the operator tenant are`,
    )
  }
  const resource =
    account === null ? null : `arn:${PARTITION}:keyhold::${caller.account}:tenant/${account}`
  return [{ action, resource }]
}

/** What tenants are made and changed with. */
export const lifecycleOf = ({ services }: Call): LifecycleServices => ({
  tenants: services.store.tenants,
  tenantKeys: services.tenantKeys,
  accessKeys: services.accessKeys,
  clock: services.clock,
})
