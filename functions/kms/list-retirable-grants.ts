import { JsonError } from '../../shared/errors.ts'
import {
  findPrincipal,
  isOfAccount,
  servicePrincipalOf,
} from '../../shared/keys/grant-principals.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { type GrantEntry, grantEntries } from '../../shared/pipeline/grant-members.ts'
import { requireOne } from '../../shared/pipeline/grant-principals.ts'
import { limit, marker, principalId, servicePrincipal } from '../../shared/pipeline/kms-members.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import { type Listed, listPage } from '../../shared/pipeline/paging.ts'
import { type Input, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  Limit: limit,
  Marker: marker,
  RetiringPrincipal: principalId,
  RetiringServicePrincipal: servicePrincipal,
})
type ListRetirableGrantsRequest = Input<typeof request>

export interface ListRetirableGrantsResponse extends Listed {
  readonly Grants: readonly GrantEntry[]
}

/** The grants in the Region that a principal of the caller's account may retire, on keys of any account. */
export const listRetirableGrants: Operation<
  ListRetirableGrantsRequest,
  ListRetirableGrantsResponse
> = {
  service: 'kms',
  name: 'ListRetirableGrants',
  input: request,
  readOnly: true,
  permissions: () => [{ action: 'kms:ListRetirableGrants', resource: null }],
  async run(input, _keys, call) {
    requireOne(input, 'RetiringPrincipal', 'RetiringServicePrincipal')
    const retiring = await retiringOf(input, call)
    const { grants, tenants } = call.services.store
    const { items, ...listed } = await listPage(
      call,
      {
        operation: 'ListRetirableGrants',
        parameters: [retiring],
        page: input,
        defaultLimit: 50,
        maxLimit: 100,
      },
      (size, after) =>
        grants.listRetirable(call.caller.account, call.region, retiring, size, after),
    )
    return { Grants: await grantEntries(items, tenants), ...listed }
  },
  audit: {
    requestParameters: ({ RetiringPrincipal, RetiringServicePrincipal, Limit }) => ({
      retiringPrincipal: RetiringPrincipal,
      retiringServicePrincipal: RetiringServicePrincipal,
      limit: Limit,
    }),
  },
}

/**
 * Principals of other accounts are answered like those that do not exist.
 * @throws JsonError InvalidArnException, NotFoundException
 */
async function retiringOf(
  { RetiringPrincipal: text, RetiringServicePrincipal: service = '' }: ListRetirableGrantsRequest,
  { caller, services }: Call,
): Promise<string> {
  if (text === undefined) return servicePrincipalOf(service).stored
  const unknown = new JsonError(
    'NotFoundException',
    `Retiring principal ${text} could not be found`,
  )
  const found = await findPrincipal(text, caller.account, services.store.tenants, unknown)
  if (found instanceof JsonError) throw found
  if (!isOfAccount(found.stored, caller.account)) {
    throw new JsonError('InvalidArnException', `ARN does not refer to a valid principal: ${text}`)
  }
  return found.stored
}

export const handler = jsonHandler(listRetirableGrants)
