import { JsonError } from '../../shared/errors.ts'
import { findPrincipal } from '../../shared/keys/grant-principals.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import {
  type GrantEntry,
  grantEntries,
  requireGrantId,
} from '../../shared/pipeline/grant-members.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import {
  grantId,
  keyIdentifier,
  limit,
  marker,
  principalId,
  servicePrincipal,
} from '../../shared/pipeline/kms-members.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import { type Listed, listPage } from '../../shared/pipeline/paging.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import type { GrantRecord, KeyRecord, Page } from '../../shared/store/records.ts'

const request = structure({
  Limit: limit,
  Marker: marker,
  KeyId: required(keyIdentifier),
  GrantId: grantId,
  GranteePrincipal: principalId,
  GranteeServicePrincipal: servicePrincipal,
})
type ListGrantsRequest = Input<typeof request>

export interface ListGrantsResponse extends Listed {
  readonly Grants: readonly GrantEntry[]
}

/** The grants on a key: all, that of one id, or those of one grantee. */
export const listGrants: Operation<ListGrantsRequest, ListGrantsResponse, 'key'> = {
  service: 'kms',
  name: 'ListGrants',
  input: request,
  readOnly: true,
  keys: ({ KeyId }) => ({ key: readKey(KeyId, 'kms:ListGrants') }),
  conditions: () => ({ others: { 'kms:grantisforawsresource': 'false' } }),
  check({ GrantId, GranteeServicePrincipal }) {
    if (GrantId !== undefined) requireGrantId(GrantId)
    if (GranteeServicePrincipal !== undefined) {
      throw new JsonError(
        'ValidationException',
        'GranteeServicePrincipal can only be specified by an AWS service principal.',
      )
    }
  },
  async run(input, { key: { key } }, call) {
    const grantee = await granteeOf(input, call)
    const { items, ...listed } = await listPage(
      call,
      {
        operation: 'ListGrants',
        parameters: [key.account, key.keyId, input.GrantId ?? '', grantee ?? ''],
        page: input,
        defaultLimit: 50,
        maxLimit: 100,
      },
      (size, after) =>
        input.GrantId === undefined
          ? call.services.store.grants.list(key, grantee, size, after)
          : oneGrant(key, input.GrantId, grantee, call),
    )
    return { Grants: await grantEntries(items, call.services.store.tenants), ...listed }
  },
  audit: {
    requestParameters: ({ KeyId, GrantId, GranteePrincipal, GranteeServicePrincipal, Limit }) => ({
      keyId: KeyId,
      grantId: GrantId,
      granteePrincipal: GranteePrincipal,
      granteeServicePrincipal: GranteeServicePrincipal,
      limit: Limit,
    }),
  },
}

/** @throws JsonError InvalidArnException when there is no such principal */
async function granteeOf(
  { GranteePrincipal: text }: ListGrantsRequest,
  { caller, services }: Call,
): Promise<string | null> {
  if (text === undefined) return null
  const unknownId = new JsonError(
    'InvalidArnException',
    'Input does not refer to a valid principal',
  )
  const found = await findPrincipal(text, caller.account, services.store.tenants, unknownId)
  if (found instanceof JsonError) throw found
  return found.stored
}

async function oneGrant(
  key: KeyRecord,
  id: string,
  grantee: string | null,
  { services }: Call,
): Promise<Page<GrantRecord>> {
  const grant = await services.store.grants.get(key, requireGrantId(id))
  const fits = grant !== null && (grantee === null || grant.grantee === grantee)
  return { items: fits ? [grant] : [], next: null }
}

export const handler = jsonHandler(listGrants)
