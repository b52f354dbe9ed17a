/**
 * CreatePolicy, GetPolicy, ListPolicies, DeletePolicy; CreatePolicyVersion, GetPolicyVersion,
 * ListPolicyVersions, SetDefaultPolicyVersion, DeletePolicyVersion.
 */
import { JsonError } from '../../shared/errors.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import {
  description,
  document,
  inlinePolicyName,
  listMarker,
  maxItems,
  path,
  policyArn,
} from '../../shared/pipeline/principal-members.ts'
import { noSuchPolicyFound, requirePolicyDocument } from '../../shared/pipeline/principals.ts'
import { boolean, required, type Shape, string, structure } from '../../shared/pipeline/shape.ts'
import type { ManagedPolicyRecord } from '../../shared/store/records.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'
import { newPolicyId } from '../../shared/tenants/access-key-id.ts'
import { managedPolicyArn, ownPolicy } from '../../shared/tenants/managed-policies.ts'

/** IAM quotas, "Versions per managed policy". */
const MAX_VERSIONS = 5
const DEFAULT_ITEMS = 100

const policyView = (policy: ManagedPolicyRecord) => ({
  PolicyName: policy.name,
  PolicyId: policy.policyId,
  Arn: managedPolicyArn(policy),
  Path: policy.path,
  DefaultVersionId: policy.defaultVersionId,
  Description: policy.description,
  CreateDate: policy.createdAt / 1000,
  UpdateDate: (policy.versions.at(-1)?.createdAt ?? policy.createdAt) / 1000,
})

const operation = <Request, Output>(
  name: string,
  input: Shape<Request>,
  readOnly: boolean,
  resource: (request: Request, call: Call) => string,
  run: (request: Request, call: Call) => Promise<Output>,
): Operation<Request, Output> => ({
  service: 'iam',
  name,
  input,
  readOnly,
  permissions: (request, call) => [{ action: `iam:${name}`, resource: resource(request, call) }],
  run: (request, _keys, call) => run(request, call),
  audit: {
    requestParameters: (request) =>
      Object.fromEntries(
        Object.entries(request as object).map(([member, value]) => [
          member.charAt(0).toLowerCase() + member.slice(1),
          value,
        ]),
      ),
  },
})

const ofArn = ({ PolicyArn }: { readonly PolicyArn: string }): string => PolicyArn

async function requireOwn(arn: string, { caller, services }: Call): Promise<ManagedPolicyRecord> {
  const found = await ownPolicy(arn, caller.account, services.store.tenants)
  if (found === null) throw noSuchPolicyFound(arn)
  return found
}

export const createPolicy = operation(
  'CreatePolicy',
  structure({
    PolicyName: required(inlinePolicyName),
    Path: path,
    PolicyDocument: required(document),
    Description: description,
  }),
  false,
  ({ PolicyName, Path = '/' }, { caller }) =>
    managedPolicyArn({ account: caller.account, path: Path, name: PolicyName }),
  async ({ PolicyName, Path = '/', PolicyDocument, Description = '' }, { caller, services }) => {
    requirePolicyDocument(PolicyDocument, 'identity')
    const createdAt = services.clock.now()
    const policy: ManagedPolicyRecord = {
      account: caller.account,
      policyId: newPolicyId(),
      name: PolicyName,
      path: Path,
      description: Description,
      versions: [{ versionId: 'v1', document: PolicyDocument, createdAt }],
      defaultVersionId: 'v1',
      tags: [],
      createdAt,
      rev: 1,
    }
    try {
      await services.store.tenants.createManagedPolicy(policy)
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error
      throw new JsonError(
        'EntityAlreadyExistsException',
        `A policy called ${PolicyName} already exists. Duplicate names are not allowed.`,
      )
    }
    services.accessKeys.forgetPolicy(caller.account, managedPolicyArn(policy))
    return { Policy: policyView(policy) }
  },
)

export const getPolicy = operation(
  'GetPolicy',
  structure({ PolicyArn: required(policyArn) }),
  true,
  ofArn,
  async ({ PolicyArn }, call) => ({ Policy: policyView(await requireOwn(PolicyArn, call)) }),
)

export const listPolicies = operation(
  'ListPolicies',
  structure({ Marker: listMarker, MaxItems: maxItems }),
  true,
  (_request, { caller }) => managedPolicyArn({ account: caller.account, path: '/', name: '*' }),
  async ({ Marker = null, MaxItems = DEFAULT_ITEMS }, { caller, services }) => {
    const page = await services.store.tenants.managedPolicies(caller.account, MaxItems, Marker)
    return {
      Policies: page.items.map(policyView),
      IsTruncated: page.next !== null,
      ...(page.next === null ? {} : { Marker: page.next }),
    }
  },
)

/** Takes effect at once where it is the default one. */
export const createPolicyVersion = operation(
  'CreatePolicyVersion',
  structure({
    PolicyArn: required(policyArn),
    PolicyDocument: required(document),
    SetAsDefault: boolean,
  }),
  false,
  ofArn,
  async ({ PolicyArn, PolicyDocument, SetAsDefault = false }, call) => {
    requirePolicyDocument(PolicyDocument, 'identity')
    const present = await requireOwn(PolicyArn, call)
    if (present.versions.length >= MAX_VERSIONS) {
      throw new JsonError(
        'LimitExceededException',
        `A managed policy can have up to ${MAX_VERSIONS} versions. Before you create a new version, you must delete an existing version.`,
      )
    }
    const newest = Number(present.versions.at(-1)?.versionId.slice(1) ?? 0)
    const versionId = `v${newest + 1}`
    const createdAt = call.services.clock.now()
    await change(present, call, {
      ...present,
      versions: [...present.versions, { versionId, document: PolicyDocument, createdAt }],
      defaultVersionId: SetAsDefault ? versionId : present.defaultVersionId,
    })
    return {
      PolicyVersion: {
        VersionId: versionId,
        IsDefaultVersion: SetAsDefault,
        CreateDate: createdAt / 1000,
      },
    }
  },
)

const versionId = string({ min: 2, max: 16, pattern: /^v[1-9][0-9]*$/ })

export const getPolicyVersion = operation(
  'GetPolicyVersion',
  structure({ PolicyArn: required(policyArn), VersionId: required(versionId) }),
  true,
  ofArn,
  async ({ PolicyArn, VersionId }, call) => {
    const policy = await requireOwn(PolicyArn, call)
    const { document: text, createdAt } = requireVersion(policy, VersionId)
    return {
      PolicyVersion: {
        Document: text,
        VersionId,
        IsDefaultVersion: policy.defaultVersionId === VersionId,
        CreateDate: createdAt / 1000,
      },
    }
  },
)

export const listPolicyVersions = operation(
  'ListPolicyVersions',
  structure({ PolicyArn: required(policyArn) }),
  true,
  ofArn,
  async ({ PolicyArn }, call) => {
    const { versions, defaultVersionId } = await requireOwn(PolicyArn, call)
    const views = versions.map(({ versionId: VersionId, createdAt }) => ({
      VersionId,
      IsDefaultVersion: VersionId === defaultVersionId,
      CreateDate: createdAt / 1000,
    }))
    return { Versions: views.toReversed(), IsTruncated: false }
  },
)

export const setDefaultPolicyVersion = operation(
  'SetDefaultPolicyVersion',
  structure({ PolicyArn: required(policyArn), VersionId: required(versionId) }),
  false,
  ofArn,
  async ({ PolicyArn, VersionId }, call) => {
    const present = await requireOwn(PolicyArn, call)
    requireVersion(present, VersionId)
    await change(present, call, { ...present, defaultVersionId: VersionId })
    return {}
  },
)

export const deletePolicyVersion = operation(
  'DeletePolicyVersion',
  structure({ PolicyArn: required(policyArn), VersionId: required(versionId) }),
  false,
  ofArn,
  async ({ PolicyArn, VersionId }, call) => {
    const present = await requireOwn(PolicyArn, call)
    requireVersion(present, VersionId)
    if (present.defaultVersionId === VersionId) {
      throw new JsonError(
        'DeleteConflictException',
        'Cannot delete the default version of a policy.',
      )
    }
    const versions = present.versions.filter((version) => version.versionId !== VersionId)
    await change(present, call, { ...present, versions })
    return {}
  },
)

/** Refused while it is attached, so that nobody gains or loses by it. */
export const deletePolicy = operation(
  'DeletePolicy',
  structure({ PolicyArn: required(policyArn) }),
  false,
  ofArn,
  async ({ PolicyArn }, call) => {
    const present = await requireOwn(PolicyArn, call)
    if (await isAttached(PolicyArn, call)) {
      throw new JsonError('DeleteConflictException', 'Cannot delete a policy attached to entities.')
    }
    if (present.versions.length > 1) {
      throw new JsonError(
        'DeleteConflictException',
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
      )
    }
    await call.services.store.tenants.deleteManagedPolicy(present).catch(refuseRace)
    call.services.accessKeys.forgetPolicy(present.account, PolicyArn)
    return {}
  },
)

async function isAttached(arn: string, { caller, services }: Call): Promise<boolean> {
  for (const kind of ['User', 'Role'] as const) {
    for (let after: string | null = null; ; ) {
      const page = await services.store.tenants.principals(caller.account, kind, 100, after)
      if (page.items.some(({ attached, boundary }) => boundary === arn || attached.includes(arn))) {
        return true
      }
      if (page.next === null) break
      after = page.next
    }
  }
  return false
}

async function change(
  present: ManagedPolicyRecord,
  { services }: Call,
  next: ManagedPolicyRecord,
): Promise<void> {
  await services.store.tenants
    .updateManagedPolicy({ ...next, rev: present.rev + 1 }, present.rev)
    .catch(refuseRace)
  services.accessKeys.forgetPolicy(present.account, managedPolicyArn(present))
}

function refuseRace(error: unknown): never {
  if (!(error instanceof ConditionFailed)) throw error
  throw new JsonError('ConflictException', 'The policy was changed by others meanwhile.')
}

function requireVersion(policy: ManagedPolicyRecord, id: string) {
  const found = policy.versions.find((version) => version.versionId === id)
  if (found !== undefined) return found
  throw new JsonError(
    'NoSuchEntityException',
    `Policy ${managedPolicyArn(policy)} version ${id} does not exist.`,
  )
}
