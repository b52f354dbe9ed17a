/**
 * The API of tenants and principals, in one function: AWS JSON 1.1 with targets `Keyhold.<Operation>`,
 * signed for the service `keyhold`.
 */

import { jsonApiHandler, serve } from '../../shared/lambda/json-stack.ts'
import {
  createAccessKey,
  deleteAccessKey,
  listAccessKeys,
  updateAccessKey,
} from './access-key-operations.ts'
import {
  attachRolePolicy,
  attachUserPolicy,
  deleteRolePermissionsBoundary,
  deleteUserPermissionsBoundary,
  detachRolePolicy,
  detachUserPolicy,
  listAttachedRolePolicies,
  listAttachedUserPolicies,
  putRolePermissionsBoundary,
  putUserPermissionsBoundary,
} from './attached-policies.ts'
import { cancelTenantDeletion } from './cancel-tenant-deletion.ts'
import { compareKeyPolicies } from './compare-key-policies.ts'
import { createBreakGlassGrant } from './create-break-glass-grant.ts'
import { createTenant } from './create-tenant.ts'
import { deleteTenant } from './delete-tenant.ts'
import { describeKeyImpact } from './describe-key-impact.ts'
import { describeTenant } from './describe-tenant.ts'
import { explainAccess } from './explain-access.ts'
import { explainRequest } from './explain-request.ts'
import { getSigningKey } from './get-signing-key.ts'
import {
  deleteRolePolicy,
  deleteUserPolicy,
  getRolePolicy,
  getUserPolicy,
  listRolePolicies,
  listUserPolicies,
  putRolePolicy,
  putUserPolicy,
} from './inline-policies.ts'
import { listAccess } from './list-access.ts'
import { listTenantQuotas } from './list-tenant-quotas.ts'
import { listTenants } from './list-tenants.ts'
import {
  createPolicy,
  createPolicyVersion,
  deletePolicy,
  deletePolicyVersion,
  getPolicy,
  getPolicyVersion,
  listPolicies,
  listPolicyVersions,
  setDefaultPolicyVersion,
} from './managed-policy-operations.ts'
import {
  listRoleTags,
  listUserTags,
  tagRole,
  tagUser,
  untagRole,
  untagUser,
} from './principal-tags.ts'
import { putTenantQuota } from './put-tenant-quota.ts'
import { rekeyObjects } from './rekey-objects.ts'
import { resumeTenant } from './resume-tenant.ts'
import { suspendTenant } from './suspend-tenant.ts'
import { unknownOperation } from './unknown-operation.ts'
import {
  createRole,
  createUser,
  deleteRole,
  deleteUser,
  getRole,
  getUser,
  listRoles,
  listUsers,
  revokeRoleSessions,
  revokeUserSessions,
  updateAssumeRolePolicy,
  updateRole,
} from './users-and-roles.ts'
import { verifyRekey } from './verify-rekey.ts'

export const handler = jsonApiHandler(
  'tenants',
  [
    serve(attachRolePolicy),
    serve(attachUserPolicy),
    serve(cancelTenantDeletion),
    serve(compareKeyPolicies),
    serve(createAccessKey),
    serve(createBreakGlassGrant),
    serve(createPolicy),
    serve(createPolicyVersion),
    serve(createRole),
    serve(createTenant),
    serve(createUser),
    serve(deleteAccessKey),
    serve(deletePolicy),
    serve(deletePolicyVersion),
    serve(deleteRole),
    serve(deleteRolePermissionsBoundary),
    serve(deleteRolePolicy),
    serve(deleteTenant),
    serve(deleteUser),
    serve(deleteUserPermissionsBoundary),
    serve(deleteUserPolicy),
    serve(describeKeyImpact),
    serve(describeTenant),
    serve(detachRolePolicy),
    serve(detachUserPolicy),
    serve(explainAccess),
    serve(explainRequest),
    serve(getPolicy),
    serve(getPolicyVersion),
    serve(getRole),
    serve(getRolePolicy),
    serve(getSigningKey),
    serve(getUser),
    serve(getUserPolicy),
    serve(listAccess),
    serve(listAccessKeys),
    serve(listAttachedRolePolicies),
    serve(listAttachedUserPolicies),
    serve(listPolicies),
    serve(listPolicyVersions),
    serve(listRolePolicies),
    serve(listRoleTags),
    serve(listRoles),
    serve(listTenantQuotas),
    serve(listTenants),
    serve(listUserPolicies),
    serve(listUserTags),
    serve(listUsers),
    serve(putRolePermissionsBoundary),
    serve(putRolePolicy),
    serve(putTenantQuota),
    serve(putUserPermissionsBoundary),
    serve(putUserPolicy),
    serve(rekeyObjects),
    serve(resumeTenant),
    serve(revokeRoleSessions),
    serve(revokeUserSessions),
    serve(setDefaultPolicyVersion),
    serve(suspendTenant),
    serve(tagRole),
    serve(tagUser),
    serve(untagRole),
    serve(untagUser),
    serve(updateAccessKey),
    serve(updateAssumeRolePolicy),
    serve(updateRole),
    serve(verifyRekey),
  ],
  serve(unknownOperation),
)
