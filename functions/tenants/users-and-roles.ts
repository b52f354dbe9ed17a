/**
 * GetUser, ListUsers, DeleteUser, RevokeUserSessions, and the same of roles; CreateUser, CreateRole,
 * UpdateRole, UpdateAssumeRolePolicy. Nothing reaches beyond the caller's own account.
 */
import { JsonError } from '../../shared/errors.ts'
import type { PrincipalId } from '../../shared/ids.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import {
  description,
  document,
  iamTags,
  type Kind,
  listMarker,
  maxItems,
  naming,
  path,
  policyArn,
  tagsOf,
} from '../../shared/pipeline/principal-members.ts'
import {
  allOf,
  changePrincipal,
  principalOperation,
  principalPermission,
  requireManagedPolicy,
  requirePolicyDocument,
  requirePrincipal,
} from '../../shared/pipeline/principals.ts'
import { type Input, integer, required, string, structure } from '../../shared/pipeline/shape.ts'
import type { PrincipalRecord } from '../../shared/store/records.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'
import { newPrincipalId, newRoleId } from '../../shared/tenants/access-key-id.ts'
import { freshUser } from '../../shared/tenants/principal.ts'
import { principalView } from './principal-view.ts'

const DEFAULT_ITEMS = 100
const HOUR = 3600

interface Wanted {
  readonly Name: string
  readonly Path?: string
  readonly PermissionsBoundary?: string
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[]
}

const maxSession = integer({ min: HOUR, max: 12 * HOUR })
const common = { Path: path, PermissionsBoundary: policyArn, Tags: iamTags }

/** What a new user has, and a new role beside what is its own. */
const freshPrincipal = (wanted: Wanted, principalId: PrincipalId, { caller, services }: Call) =>
  freshUser({
    account: caller.account,
    principalId,
    name: wanted.Name,
    path: wanted.Path ?? '/',
    boundary: wanted.PermissionsBoundary ?? null,
    tags: tagsOf(wanted.Tags),
    createdAt: services.clock.now(),
  })

/** @throws JsonError EntityAlreadyExistsException, NoSuchEntityException for the boundary */
async function create(principal: PrincipalRecord, call: Call) {
  const { kind, name, boundary } = principal
  if (boundary !== null) await requireManagedPolicy(boundary, call)
  try {
    await call.services.store.tenants.createPrincipal(principal)
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
    throw new JsonError('EntityAlreadyExistsException', `${kind} with name ${name} already exists.`)
  }
  return { [kind]: principalView(principal) }
}

const creation = <Request extends Wanted>(
  kind: Kind,
  operation: Operation<Request, object>,
): Operation<Request, object> => ({
  ...operation,
  permissions: ({ Name, Path = '/' }, { caller }) => [
    {
      action: `iam:Create${kind}`,
      resource: `arn:aws:iam::${caller.account}:${kind.toLowerCase()}${Path}${Name}`,
    },
  ],
})

/** A user, without any permission. */
export const createUser = creation(
  'User',
  principalOperation('User', {
    name: 'CreateUser',
    input: naming('User', common),
    run: (wanted, call) => create(freshPrincipal(wanted, newPrincipalId(), call), call),
  }),
)

/** A role, which those may assume whom its trust policy names. */
export const createRole = creation(
  'Role',
  principalOperation('Role', {
    name: 'CreateRole',
    input: naming('Role', {
      ...common,
      AssumeRolePolicyDocument: required(document),
      Description: description,
      MaxSessionDuration: maxSession,
    }),
    async run(wanted, call) {
      requirePolicyDocument(wanted.AssumeRolePolicyDocument, 'trust')
      const role: PrincipalRecord = {
        ...freshPrincipal(wanted, newRoleId(), call),
        kind: 'Role',
        description: wanted.Description ?? '',
        trustPolicy: wanted.AssumeRolePolicyDocument,
        maxSessionSeconds: wanted.MaxSessionDuration ?? HOUR,
      }
      return await create(role, call)
    },
  }),
)

/** A description that is not given stays; a duration that is not given is an hour again, as IAM has it. */
export const updateRole = principalOperation('Role', {
  name: 'UpdateRole',
  input: naming('Role', { Description: description, MaxSessionDuration: maxSession }),
  async run({ Name, Description, MaxSessionDuration = HOUR }, call) {
    await changePrincipal('Role', Name, call, (role) => ({
      ...role,
      description: Description ?? role.description,
      maxSessionSeconds: MaxSessionDuration,
    }))
    return {}
  },
})

export const updateAssumeRolePolicy = principalOperation('Role', {
  name: 'UpdateAssumeRolePolicy',
  input: naming('Role', { PolicyDocument: required(document) }),
  async run({ Name, PolicyDocument }, call) {
    requirePolicyDocument(PolicyDocument, 'trust')
    await changePrincipal('Role', Name, call, (role) => ({ ...role, trustPolicy: PolicyDocument }))
    return {}
  },
})

export const getRole = principalOperation('Role', {
  name: 'GetRole',
  input: naming('Role', {}),
  readOnly: true,
  run: async ({ Name }, call) => ({
    Role: principalView(await requirePrincipal('Role', Name, call)),
  }),
})

const getUserRequest = structure({
  UserName: string({ min: 1, max: 64, pattern: /^[\w+=,.@-]+$/ }),
})

/** A user; without a name the one who asks. */
export const getUser: Operation<Input<typeof getUserRequest>, object> = {
  service: 'iam',
  name: 'GetUser',
  input: getUserRequest,
  readOnly: true,
  permissions: ({ UserName }, call) =>
    principalPermission('iam:GetUser', 'User', nameOr(UserName, call), call),
  run: async ({ UserName }, _keys, call) => ({
    User: principalView(await requirePrincipal('User', nameOr(UserName, call), call)),
  }),
  audit: { requestParameters: ({ UserName }) => ({ userName: UserName }) },
}

/** @throws JsonError ValidationException when the caller is no user, so has no name of one */
function nameOr(name: string | undefined, { caller }: Call): string {
  if (name !== undefined) return name
  if (caller.kind === 'User') return caller.userName
  throw new JsonError(
    'ValidationException',
    'Must specify userName when calling with non-User credentials',
  )
}

const listRequest = structure({
  PathPrefix: string({ min: 1, max: 512 }),
  Marker: listMarker,
  MaxItems: maxItems,
})

const listing = (kind: Kind): Operation<Input<typeof listRequest>, object> => ({
  service: 'iam',
  name: `List${kind}s`,
  input: listRequest,
  readOnly: true,
  permissions: (_input, call) => [{ action: `iam:List${kind}s`, resource: allOf(kind, call) }],
  async run(
    { PathPrefix = '/', Marker = null, MaxItems = DEFAULT_ITEMS },
    _keys,
    { caller, services },
  ) {
    const { account } = caller
    const page = await services.store.tenants.principals(account, kind, MaxItems, Marker)
    const shown = page.items.filter((principal) => principal.path.startsWith(PathPrefix))
    return {
      [`${kind}s`]: shown.map(principalView),
      IsTruncated: page.next !== null,
      ...(page.next === null ? {} : { Marker: page.next }),
    }
  },
  audit: { requestParameters: ({ PathPrefix }) => ({ pathPrefix: PathPrefix }) },
})

const deletion = (kind: Kind) =>
  principalOperation(kind, {
    name: `Delete${kind}`,
    input: naming(kind, {}),
    async run({ Name }, call) {
      const { store, accessKeys } = call.services
      const found = await requirePrincipal(kind, Name, call)
      const { account, principalId, policies, attached } = found
      const keys = await store.tenants.accessKeys(account, principalId)
      requireNone(keys, 'delete access keys')
      requireNone(policies, 'delete policies')
      requireNone(attached, 'detach all policies')
      try {
        await store.tenants.deletePrincipal(found)
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error
        throw new JsonError('ConflictException', `${Name} was changed by others meanwhile.`)
      }
      accessKeys.forgetPrincipal(account, principalId)
      return {}
    },
  })

function requireNone(held: readonly unknown[], what: string): void {
  if (held.length === 0) return
  throw new JsonError('DeleteConflictException', `Cannot delete entity, must ${what} first.`)
}

const revocation = (kind: Kind) =>
  principalOperation(kind, {
    name: `Revoke${kind}Sessions`,
    input: naming(kind, {}),
    async run({ Name }, call) {
      const sessionsValidFrom = call.services.clock.now()
      await changePrincipal(kind, Name, call, (present) => ({ ...present, sessionsValidFrom }))
      return { ValidFrom: sessionsValidFrom / 1000 }
    },
  })

export const listUsers = listing('User')
export const listRoles = listing('Role')
export const deleteUser = deletion('User')
export const deleteRole = deletion('Role')
/** Voids the temporary credentials that were given out before. */
export const revokeUserSessions = revocation('User')
export const revokeRoleSessions = revocation('Role')
