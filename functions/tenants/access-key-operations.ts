/** CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey. */
import { JsonError } from '../../shared/errors.ts'
import { parseAccessKeyId } from '../../shared/ids.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import { naming } from '../../shared/pipeline/principal-members.ts'
import { principalOperation, requirePrincipal } from '../../shared/pipeline/principals.ts'
import { oneOf, required, string } from '../../shared/pipeline/shape.ts'
import type { AccessKeyRecord } from '../../shared/store/records.ts'

/** IAM quotas, "Access keys assigned to an IAM user". */
const MAX_ACCESS_KEYS = 2

const accessKeyId = string({ min: 16, max: 128, pattern: /^\w+$/ })

/** The secret is in the answer, once, and in no record. */
export const createAccessKey = principalOperation('User', {
  name: 'CreateAccessKey',
  input: naming('User', {}),
  async run({ Name }, call) {
    const { store, accessKeys, clock } = call.services
    const { account, principalId } = await requirePrincipal('User', Name, call)
    const present = await store.tenants.accessKeys(account, principalId)
    if (present.length >= MAX_ACCESS_KEYS) {
      throw new JsonError(
        'LimitExceededException',
        `Cannot exceed quota for AccessKeysPerUser: ${MAX_ACCESS_KEYS}`,
      )
    }
    const issued = await accessKeys.issue(account, principalId)
    return {
      AccessKey: {
        UserName: Name,
        AccessKeyId: issued.accessKeyId,
        Status: 'Active',
        SecretAccessKey: issued.secretAccessKey,
        CreateDate: clock.now() / 1000,
      },
    }
  },
})

export const listAccessKeys = principalOperation('User', {
  name: 'ListAccessKeys',
  input: naming('User', {}),
  readOnly: true,
  async run({ Name }, call) {
    const { account, principalId } = await requirePrincipal('User', Name, call)
    const keys = await call.services.store.tenants.accessKeys(account, principalId)
    const views = keys.map((key) => ({
      UserName: Name,
      AccessKeyId: key.accessKeyId,
      Status: key.status,
      CreateDate: key.createdAt / 1000,
    }))
    return { AccessKeyMetadata: views, IsTruncated: false }
  },
})

export const updateAccessKey = principalOperation('User', {
  name: 'UpdateAccessKey',
  input: naming('User', {
    AccessKeyId: required(accessKeyId),
    Status: required(oneOf(['Active', 'Inactive'])),
  }),
  async run({ Name, AccessKeyId, Status }, call) {
    const key = await requireAccessKey(Name, AccessKeyId, call)
    await call.services.store.tenants.putAccessKey({ ...key, status: Status, rev: key.rev + 1 })
    call.services.accessKeys.forget(key.accessKeyId)
    return {}
  },
})

export const deleteAccessKey = principalOperation('User', {
  name: 'DeleteAccessKey',
  input: naming('User', { AccessKeyId: required(accessKeyId) }),
  async run({ Name, AccessKeyId }, call) {
    const key = await requireAccessKey(Name, AccessKeyId, call)
    await call.services.store.tenants.deleteAccessKey(key)
    call.services.accessKeys.forget(key.accessKeyId)
    return {}
  },
})

/** @throws JsonError NoSuchEntityException, also for an access key of somebody else */
async function requireAccessKey(name: string, text: string, call: Call): Promise<AccessKeyRecord> {
  const { account, principalId } = await requirePrincipal('User', name, call)
  const id = parseAccessKeyId(text)
  const key = id === null ? null : await call.services.store.tenants.accessKey(id)
  if (key?.account === account && key.principalId === principalId) return key
  throw new JsonError('NoSuchEntityException', `The Access Key with id ${text} cannot be found.`)
}
