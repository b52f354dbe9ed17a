/** PutUserPolicy, GetUserPolicy, ListUserPolicies, DeleteUserPolicy, and the same of roles. */
import { JsonError } from '../../shared/errors.ts'
import {
  document,
  inlinePolicyName,
  type Kind,
  naming,
} from '../../shared/pipeline/principal-members.ts'
import {
  changePrincipal,
  inlineLimits,
  principalOperation,
  requireInlineRoom,
  requirePolicyDocument,
  requirePrincipal,
} from '../../shared/pipeline/principals.ts'
import { required } from '../../shared/pipeline/shape.ts'

const byName = { PolicyName: required(inlinePolicyName) }

const noSuchInline = (kind: Kind, name: string): JsonError =>
  new JsonError(
    'NoSuchEntityException',
    `The ${kind.toLowerCase()} policy with name ${name} cannot be found.`,
  )

const putPolicy = (kind: Kind) =>
  principalOperation(kind, {
    name: `Put${kind}Policy`,
    input: naming(kind, { ...byName, PolicyDocument: required(document) }),
    async run({ Name, PolicyName, PolicyDocument }, call) {
      await changePrincipal(kind, Name, call, (present) => {
        const others = present.policies.filter(({ name }) => name !== PolicyName)
        const policies = [...others, { name: PolicyName, document: PolicyDocument }]
        const changed = { ...present, policies }
        requireInlineRoom(changed)
        requirePolicyDocument(PolicyDocument, 'identity', inlineLimits[kind])
        return changed
      })
      return {}
    },
  })

const getPolicy = (kind: Kind) =>
  principalOperation(kind, {
    name: `Get${kind}Policy`,
    input: naming(kind, byName),
    readOnly: true,
    async run({ Name, PolicyName }, call) {
      const { policies } = await requirePrincipal(kind, Name, call)
      const found = policies.find(({ name }) => name === PolicyName)
      if (found === undefined) throw noSuchInline(kind, PolicyName)
      return { [`${kind}Name`]: Name, PolicyName, PolicyDocument: found.document }
    },
  })

const listPolicies = (kind: Kind) =>
  principalOperation(kind, {
    name: `List${kind}Policies`,
    input: naming(kind, {}),
    readOnly: true,
    async run({ Name }, call) {
      const { policies } = await requirePrincipal(kind, Name, call)
      return { PolicyNames: policies.map(({ name }) => name).toSorted(), IsTruncated: false }
    },
  })

const deletePolicy = (kind: Kind) =>
  principalOperation(kind, {
    name: `Delete${kind}Policy`,
    input: naming(kind, byName),
    async run({ Name, PolicyName }, call) {
      await changePrincipal(kind, Name, call, (present) => {
        const policies = present.policies.filter(({ name }) => name !== PolicyName)
        if (policies.length === present.policies.length) throw noSuchInline(kind, PolicyName)
        return { ...present, policies }
      })
      return {}
    },
  })

export const putUserPolicy = putPolicy('User')
export const putRolePolicy = putPolicy('Role')
export const getUserPolicy = getPolicy('User')
export const getRolePolicy = getPolicy('Role')
export const listUserPolicies = listPolicies('User')
export const listRolePolicies = listPolicies('Role')
export const deleteUserPolicy = deletePolicy('User')
export const deleteRolePolicy = deletePolicy('Role')
