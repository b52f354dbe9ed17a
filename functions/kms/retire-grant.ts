import { JsonError } from '../../shared/errors.ts'
import type { GrantId } from '../../shared/ids.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { dryRunSucceeded } from '../../shared/pipeline/dry-run.ts'
import { requireGrantId } from '../../shared/pipeline/grant-members.ts'
import { openGrantToken } from '../../shared/pipeline/grants.ts'
import { grantId, grantToken, keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Call, KeyName, Operation } from '../../shared/pipeline/operation.ts'
import { type Retirement, retiredGrant } from '../../shared/pipeline/retirement.ts'
import { boolean, type Input, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  GrantToken: grantToken,
  KeyId: keyIdentifier,
  GrantId: grantId,
  DryRun: boolean,
})
type RetireGrantRequest = Input<typeof request>

/** The grant that a request is about. */
interface Named extends Retirement {
  readonly name: KeyName
  readonly grantId: GrantId
}

const named = new WeakMap<RetireGrantRequest, Named>()

/** Ends a grant on behalf of whom it was made for: named by a token of it, or by its id and its key's ARN. */
export const retireGrant: Operation<RetireGrantRequest, void, 'key'> = {
  service: 'kms',
  name: 'RetireGrant',
  input: request,
  readOnly: false,
  dryRun: true,
  async keys(input, call) {
    const retirement = await nameGrant(input, call)
    named.set(input, retirement)
    return { key: retiredGrant(retirement.name, retirement.grantId, retirement) }
  },
  async run(input, _keys, { services }) {
    const { grant = null } = named.get(input) ?? {}
    if (input.DryRun === true) throw dryRunSucceeded()
    if (grant !== null) await services.grants.remove(grant)
  },
  audit: {
    requestParameters: ({ KeyId, GrantId }) =>
      KeyId === undefined && GrantId === undefined ? null : { keyId: KeyId, grantId: GrantId },
    responseElements: (_output, { key }) => ({ keyId: key?.arn }),
    additionalEventData: (_output, input) => ({ grantId: named.get(input)?.grantId }),
  },
}

/** @throws JsonError ValidationException, InvalidGrantTokenException, InvalidGrantIdException, NotFoundException */
async function nameGrant(
  { GrantToken, KeyId, GrantId }: RetireGrantRequest,
  call: Call,
): Promise<Named> {
  const byToken = GrantToken !== undefined && KeyId === undefined && GrantId === undefined
  if (byToken) {
    const address = await openGrantToken(GrantToken, call)
    if (address === null) throw new JsonError('InvalidGrantTokenException')
    const { account, keyId } = address
    return { name: { by: 'address', account, keyId }, grantId: address.grantId, grant: null }
  }
  if (GrantToken !== undefined || KeyId === undefined || GrantId === undefined) {
    throw new JsonError(
      'ValidationException',
      'Either GrantToken, or KeyId and GrantId, must be specified.',
    )
  }
  // An alias is told from a key before the form of either, as for every operation.
  if (!KeyId.startsWith('arn:') && !KeyId.startsWith('alias/')) {
    throw new JsonError('NotFoundException', `Invalid arn ${KeyId}`)
  }
  const name = { by: 'identifier', text: KeyId, aliases: false } as const
  return { name, grantId: requireGrantId(GrantId), grant: null }
}

export const handler = jsonHandler(retireGrant)
