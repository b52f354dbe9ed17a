/**
 * The API of tenants and principals, in one function: AWS JSON 1.1 with targets `Keyhold.<Operation>`,
 * signed for the service `keyhold`.
 */
import { jsonApiHandler, serve } from '../../shared/lambda/json-stack.ts'
import { cancelTenantDeletion } from './cancel-tenant-deletion.ts'
import { compareKeyPolicies } from './compare-key-policies.ts'
import { createBreakGlassGrant } from './create-break-glass-grant.ts'
import { createTenant } from './create-tenant.ts'
import { deleteTenant } from './delete-tenant.ts'
import { describeTenant } from './describe-tenant.ts'
import { explainAccess } from './explain-access.ts'
import { explainRequest } from './explain-request.ts'
import { getSigningKey } from './get-signing-key.ts'
import { listAccess } from './list-access.ts'
import { listTenants } from './list-tenants.ts'
import { resumeTenant } from './resume-tenant.ts'
import { suspendTenant } from './suspend-tenant.ts'
import { unknownOperation } from './unknown-operation.ts'

export const handler = jsonApiHandler(
  'tenants',
  [
    serve(explainAccess),
    serve(explainRequest),
    serve(cancelTenantDeletion),
    serve(compareKeyPolicies),
    serve(createBreakGlassGrant),
    serve(createTenant),
    serve(deleteTenant),
    serve(describeTenant),
    serve(getSigningKey),
    serve(resumeTenant),
    serve(suspendTenant),
    serve(listAccess),
    serve(listTenants),
  ],
  serve(unknownOperation),
)
