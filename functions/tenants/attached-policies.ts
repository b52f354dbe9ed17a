/**
 * AttachUserPolicy, DetachUserPolicy, ListAttachedUserPolicies, PutUserPermissionsBoundary,
 * DeleteUserPermissionsBoundary, and the same of roles.
 */
import { JsonError } from '../../shared/errors.ts'
import { type Kind, naming, policyArn } from '../../shared/pipeline/principal-members.ts'
import {
  changePrincipal,
  principalOperation,
  requireManagedPolicy,
  requirePrincipal,
} from '../../shared/pipeline/principals.ts'
import { required } from '../../shared/pipeline/shape.ts'

/** IAM quotas, "Managed policies attached to an IAM user" and role. */
const MAX_ATTACHED = 10

const attach = (kind: Kind) =>
  principalOperation(kind, {
    name: `Attach${kind}Policy`,
    input: naming(kind, { PolicyArn: required(policyArn) }),
    async run({ Name, PolicyArn }, call) {
      await requireManagedPolicy(PolicyArn, call)
      await changePrincipal(kind, Name, call, (present) => {
        const attached = [...new Set([...present.attached, PolicyArn])]
        if (attached.length > MAX_ATTACHED) {
          throw new JsonError(
            'LimitExceededException',
            `Cannot exceed quota for PoliciesPer${kind}: ${MAX_ATTACHED}`,
          )
        }
        return { ...present, attached }
      })
      return {}
    },
  })

const detach = (kind: Kind) =>
  principalOperation(kind, {
    name: `Detach${kind}Policy`,
    input: naming(kind, { PolicyArn: required(policyArn) }),
    async run({ Name, PolicyArn }, call) {
      await changePrincipal(kind, Name, call, (present) => {
        const attached = present.attached.filter((arn) => arn !== PolicyArn)
        if (attached.length < present.attached.length) return { ...present, attached }
        throw new JsonError('NoSuchEntityException', `Policy ${PolicyArn} was not found.`)
      })
      return {}
    },
  })

const listAttached = (kind: Kind) =>
  principalOperation(kind, {
    name: `ListAttached${kind}Policies`,
    input: naming(kind, {}),
    readOnly: true,
    async run({ Name }, call) {
      const { attached } = await requirePrincipal(kind, Name, call)
      const views = attached.map((PolicyArn) => ({
        PolicyName: PolicyArn.slice(PolicyArn.lastIndexOf('/') + 1),
        PolicyArn,
      }))
      return { AttachedPolicies: views, IsTruncated: false }
    },
  })

const putBoundary = (kind: Kind) =>
  principalOperation(kind, {
    name: `Put${kind}PermissionsBoundary`,
    input: naming(kind, { PermissionsBoundary: required(policyArn) }),
    async run({ Name, PermissionsBoundary }, call) {
      await requireManagedPolicy(PermissionsBoundary, call)
      await changePrincipal(kind, Name, call, (present) => ({
        ...present,
        boundary: PermissionsBoundary,
      }))
      return {}
    },
  })

const deleteBoundary = (kind: Kind) =>
  principalOperation(kind, {
    name: `Delete${kind}PermissionsBoundary`,
    input: naming(kind, {}),
    async run({ Name }, call) {
      await changePrincipal(kind, Name, call, (present) => ({ ...present, boundary: null }))
      return {}
    },
  })

export const attachUserPolicy = attach('User')
export const attachRolePolicy = attach('Role')
export const detachUserPolicy = detach('User')
export const detachRolePolicy = detach('Role')
export const listAttachedUserPolicies = listAttached('User')
export const listAttachedRolePolicies = listAttached('Role')
export const putUserPermissionsBoundary = putBoundary('User')
export const putRolePermissionsBoundary = putBoundary('Role')
export const deleteUserPermissionsBoundary = deleteBoundary('User')
export const deleteRolePermissionsBoundary = deleteBoundary('Role')
