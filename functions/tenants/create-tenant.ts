import { randomInt } from 'node:crypto'
import { JsonError } from '../../shared/errors.ts'
import type { AccountId } from '../../shared/ids.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import {
  accountId,
  accountOf,
  lifecycleOf,
  operatorPermission,
} from '../../shared/pipeline/operators.ts'
import { type Input, required, string, structure } from '../../shared/pipeline/shape.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'
import { bootstrap } from '../../shared/tenants/bootstrap.ts'
import { freshTenant } from '../../shared/tenants/principal.ts'
import { type TenantView, tenantView } from './tenant-view.ts'

const request = structure({
  Name: required(string({ min: 1, max: 64, pattern: /^[\w+=,.@ -]+$/ })),
  AccountId: accountId,
  AdministratorName: string({ min: 1, max: 64, pattern: /^[\w+=,.@-]+$/ }),
})
type CreateTenantRequest = Input<typeof request>

export interface CreateTenantResponse {
  readonly Tenant: TenantView
  /** Told this once: nobody can ask for the secret again, operators least of all. */
  readonly Administrator: {
    readonly Arn: string
    readonly AccessKeyId: string
    readonly SecretAccessKey: string
  }
}

/** Makes a tenant with its key and an administrator. For operators. */
export const createTenant: Operation<CreateTenantRequest, CreateTenantResponse> = {
  service: 'keyhold',
  name: 'CreateTenant',
  input: request,
  readOnly: false,
  permissions: ({ AccountId = '*' }, call) =>
    operatorPermission('keyhold:CreateTenant', AccountId, call),
  async run({ Name, AccountId, AdministratorName }, _keys, call) {
    const services = lifecycleOf(call)
    const account = AccountId === undefined ? await freeAccount(call) : accountOf(AccountId)
    const tenant = freshTenant({ account, name: Name, createdAt: services.clock.now() })
    await services.tenants.create(tenant).catch((error: unknown) => {
      throw error instanceof ConditionFailed ? alreadyThere(account) : error
    })
    services.accessKeys.forgetTenant(account)
    const name = AdministratorName === undefined ? {} : { userName: AdministratorName }
    const made = await bootstrap({ ...services, account, ...name })
    return {
      Tenant: tenantView(tenant),
      Administrator: {
        Arn: made.userArn,
        AccessKeyId: made.accessKeyId,
        SecretAccessKey: made.secretAccessKey,
      },
    }
  },
  audit: {
    requestParameters: ({ Name, AccountId }) => ({ name: Name, accountId: AccountId }),
    responseElements: ({ Tenant, Administrator }) => ({
      accountId: Tenant.AccountId,
      administrator: Administrator.Arn,
      accessKeyId: Administrator.AccessKeyId,
    }),
  },
}

const alreadyThere = (account: AccountId): JsonError =>
  new JsonError('EntityAlreadyExistsException', `There is a tenant ${account}, or was one.`)

/** Twelve digits, the first not 0, which some tools would drop. */
async function freeAccount({ services }: Call): Promise<AccountId> {
  for (;;) {
    const account = accountOf(String(randomInt(100_000_000_000, 1_000_000_000_000)))
    if ((await services.store.tenants.get(account)) === null) return account
  }
}
