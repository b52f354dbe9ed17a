import { JsonError } from '../../shared/errors.ts'
import type { GrantPrincipal } from '../../shared/keys/grant-principals.ts'
import {
  type Allowance,
  constraintType,
  contextOf,
  isWithin,
  requireGrantable,
} from '../../shared/keys/grants.ts'
import { grantable } from '../../shared/keys/key-states.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { dryRunSucceeded } from '../../shared/pipeline/dry-run.ts'
import { grantConstraints, readConstraints } from '../../shared/pipeline/grant-members.ts'
import {
  findPrincipals,
  requireFound,
  requirePrincipalMembers,
} from '../../shared/pipeline/grant-principals.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import {
  grantName,
  grantOperation,
  grantTokens,
  keyIdentifier,
  principalId,
  servicePrincipal,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { boolean, type Input, list, required, structure } from '../../shared/pipeline/shape.ts'
import { GRANT_OPERATIONS } from '../../shared/store/records.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  GranteePrincipal: principalId,
  RetiringPrincipal: principalId,
  Operations: required(list(grantOperation)),
  Constraints: grantConstraints,
  GrantTokens: grantTokens,
  Name: grantName,
  DryRun: boolean,
  GranteeServicePrincipal: servicePrincipal,
  RetiringServicePrincipal: servicePrincipal,
})
type CreateGrantRequest = Input<typeof request>

export interface CreateGrantResponse {
  readonly GrantToken: string
  readonly GrantId: string
}

/** Who a request speaks of; conditions ask for their ARNs, and so they are looked up before. */
const principals = new WeakMap<CreateGrantRequest, Awaited<ReturnType<typeof findPrincipals>>>()

/** Duplicates are one operation. */
const allowanceOf = ({ Operations, Constraints }: CreateGrantRequest): Allowance => ({
  operations: GRANT_OPERATIONS.filter((operation) => Operations.includes(operation)),
  constraints: readConstraints(Constraints),
})

/** Lets a principal use a key. The same grant under the same name is there once; every answer has a token of its own. */
export const createGrant: Operation<CreateGrantRequest, CreateGrantResponse, 'key'> = {
  service: 'kms',
  name: 'CreateGrant',
  input: request,
  readOnly: false,
  dryRun: true,
  async keys(input, call) {
    principals.set(input, await findPrincipals(input, call))
    const allowance = allowanceOf(input)
    return {
      key: {
        ...readKey(input.KeyId, 'kms:CreateGrant'),
        states: grantable,
        grants: (parent) => isWithin(allowance, parent),
      },
    }
  },
  conditions(input) {
    const { operations, constraints } = allowanceOf(input)
    const { grantee, retiring } = principals.get(input) ?? {}
    const shown = (found: GrantPrincipal | JsonError | null | undefined, text?: string) =>
      found instanceof JsonError ? text : (found?.arn ?? text)
    return {
      encryptionContext: contextOf(constraints) ?? {},
      others: {
        'kms:grantconstrainttype': constraintType(constraints),
        'kms:grantconstraintsourcearn': constraints?.sourceArn,
        'kms:grantisforawsresource': 'false',
        'kms:grantoperations': operations,
        'kms:granteeprincipal': input.GranteePrincipal && shown(grantee, input.GranteePrincipal),
        'kms:retiringprincipal':
          input.RetiringPrincipal && shown(retiring, input.RetiringPrincipal),
        'kms:granteeserviceprincipal': input.GranteeServicePrincipal,
        'kms:retiringserviceprincipal': input.RetiringServicePrincipal,
      },
    }
  },
  check(input, { key }) {
    requirePrincipalMembers(input)
    requireGrantable(allowanceOf(input), key.key)
    requireFound(principals.get(input))
  },
  async run(input, { key }, { caller, services }) {
    const { grantee, retiring } = requireFound(principals.get(input))
    if (input.DryRun === true) throw dryRunSucceeded()
    const { account, region, keyId } = key.key
    const grant = await services.grants.create({
      account,
      region,
      keyId,
      name: input.Name ?? null,
      issuingAccount: caller.account,
      grantee: grantee.stored,
      retiring: retiring?.stored ?? null,
      ...allowanceOf(input),
    })
    return { GrantToken: await services.grantTokens.seal(grant), GrantId: grant.grantId }
  },
  audit: {
    requestParameters: (input) => ({
      keyId: input.KeyId,
      granteePrincipal: input.GranteePrincipal,
      granteeServicePrincipal: input.GranteeServicePrincipal,
      retiringPrincipal: input.RetiringPrincipal,
      retiringServicePrincipal: input.RetiringServicePrincipal,
      operations: input.Operations,
      constraints: readConstraints(input.Constraints) ?? undefined,
      name: input.Name,
    }),
    responseElements: ({ GrantId }, { key }) => ({ grantId: GrantId, keyId: key?.arn }),
  },
}

export const handler = jsonHandler(createGrant)
