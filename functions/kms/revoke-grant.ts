import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { dryRunSucceeded } from '../../shared/pipeline/dry-run.ts'
import { requireGrantId } from '../../shared/pipeline/grant-members.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { grantId, keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { grantMissing } from '../../shared/pipeline/retirement.ts'
import { boolean, type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  GrantId: required(grantId),
  DryRun: boolean,
})

/** Ends a grant on behalf of who looks after the key. */
export const revokeGrant: Operation<Input<typeof request>, void, 'key'> = {
  service: 'kms',
  name: 'RevokeGrant',
  input: request,
  readOnly: false,
  dryRun: true,
  keys: ({ KeyId }) => ({ key: readKey(KeyId, 'kms:RevokeGrant') }),
  conditions: () => ({ others: { 'kms:grantisforawsresource': 'false' } }),
  check({ GrantId }) {
    requireGrantId(GrantId)
  },
  async run({ GrantId, DryRun }, { key: { key } }, { services }) {
    const grant = await services.store.grants.get(key, requireGrantId(GrantId))
    if (grant === null) throw grantMissing(GrantId)
    if (DryRun === true) throw dryRunSucceeded()
    await services.grants.remove(grant)
  },
  audit: {
    requestParameters: ({ KeyId, GrantId }) => ({ keyId: KeyId, grantId: GrantId }),
    responseElements: (_output, { key }) => ({ keyId: key?.arn }),
  },
}

export const handler = jsonHandler(revokeGrant)
