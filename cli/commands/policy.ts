import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { type Pairs, pair, tagList } from '../input/pairs.ts'
import { readPolicy } from '../input/policy-file.ts'
import { confirm } from '../input/terminal.ts'
import { details, table } from '../output/view.ts'
import type { Session } from '../session.ts'
import { type ManagedPolicy, type PolicyVersion, policyText, tagText } from './iam-shapes.ts'
import { ownArn } from './own-arn.ts'
import { policyDiffVerb } from './policy-diff.ts'
import { requiredTarget, type TargetOptions, targetOf, targetOptions } from './policy-target.ts'
import { policiesOf, policyTable } from './principal-verbs.ts'

/** `keyhold policy …` */
export function policyVerbs(parent: Command): void {
  create(parent)
  list(parent)
  show(parent)
  versions(parent)
  setDefault(parent)
  attachOrDetach(parent, 'Attach')
  attachOrDetach(parent, 'Detach')
  put(parent)
  remove(parent)
  policyDiffVerb(parent)
}

const policyDetails = (policy: ManagedPolicy) =>
  details({
    Name: policy.PolicyName,
    ARN: policy.Arn,
    'Policy id': policy.PolicyId,
    Description: policy.Description,
    'Default version': policy.DefaultVersionId,
    Attachments: policy.AttachmentCount,
    Created: policy.CreateDate,
    Tags: tagText(policy.Tags),
  })

interface CreateOptions {
  readonly policyFile: string
  readonly description?: string
  readonly path?: string
  readonly tag?: Pairs
}

const FILE = ['--policy-file <file>', 'the policy; - is the input'] as const

function create(parent: Command): void {
  const command = verb(parent, 'create <policy-name>', {
    about: 'Create a managed policy',
    examples: [
      'policy create decrypt --policy-file decrypt.json',
      'policy attach decrypt --user alice',
    ],
  })
    .requiredOption(...FILE)
    .option('--description <text>', 'what it is for')
    .option('--path <path>', 'part of its ARN: /payments/')
    .option('--tag <name=value>', 'a tag; several can be given', pair)
  runs<CreateOptions>(command, async (session, options, PolicyName) => {
    const answer = await session.keyhold<{ Policy: ManagedPolicy }>('CreatePolicy', {
      PolicyName,
      PolicyDocument: await readPolicy(options.policyFile),
      Description: options.description,
      Path: options.path,
      ...tagList(options.tag),
    })
    return { json: answer, view: policyDetails(answer.Policy) }
  })
}

function list(parent: Command): void {
  const command = verb(parent, 'list', {
    about: 'List the managed policies of your account, or all policies of a user or role',
    examples: ['policy list', 'policy list --user alice'],
  })
  runs<TargetOptions>(targetOptions(command), async (session, options) => {
    const target = targetOf(options)
    if (target !== null) {
      const [name = ''] = Object.values(target.member)
      const all = await policiesOf(session, target.kind, name)
      return { json: all, view: policyTable(all) }
    }
    const Policies = await session.list<ManagedPolicy>('ListPolicies', 'Policies', {
      Scope: 'Local',
    })
    const columns = {
      Name: (policy: ManagedPolicy) => policy.PolicyName,
      'Default version': (policy: ManagedPolicy) => policy.DefaultVersionId,
      Attachments: (policy: ManagedPolicy) => policy.AttachmentCount,
      Created: (policy: ManagedPolicy) => policy.CreateDate,
      ARN: (policy: ManagedPolicy) => policy.Arn,
    }
    return { json: { Policies }, view: table(Policies, columns, 'There are no managed policies.') }
  })
}

function show(parent: Command): void {
  const command = verb(parent, 'show <policy>', {
    about: 'Show a managed policy by its name or ARN, or an inline one of a user or role',
    examples: [
      'policy show decrypt',
      'policy show decrypt --version-id v2',
      'policy show own --user al',
    ],
  }).option('--version-id <version-id>', 'another version than the default one')
  runs<TargetOptions & { readonly versionId?: string }>(
    targetOptions(command),
    async (session, options, policy = '') => {
      const target = targetOf(options)
      if (target !== null) {
        const input = { ...target.member, PolicyName: policy }
        const answer = await session.keyhold<{ readonly PolicyDocument: string }>(
          `Get${target.kind}Policy`,
          input,
        )
        return { json: answer, view: policyText(answer.PolicyDocument) }
      }
      const PolicyArn = await ownArn(session, 'policy', policy)
      const { Policy } = await session.keyhold<{ Policy: ManagedPolicy }>('GetPolicy', {
        PolicyArn,
      })
      const VersionId = options.versionId ?? Policy.DefaultVersionId
      const { PolicyVersion } = await session.keyhold<{ PolicyVersion: PolicyVersion }>(
        'GetPolicyVersion',
        { PolicyArn, VersionId },
      )
      const document = policyText(PolicyVersion.Document ?? '')
      return { json: { Policy, PolicyVersion }, view: [policyDetails(Policy), document] }
    },
  )
}

const versionsOf = (session: Session, PolicyArn: string) =>
  session.list<PolicyVersion>('ListPolicyVersions', 'Versions', { PolicyArn })

function versions(parent: Command): void {
  const command = verb(parent, 'versions <policy>', { about: 'List the versions of a policy' })
  runs(command, async (session, _options, policy = '') => {
    const Versions = await versionsOf(session, await ownArn(session, 'policy', policy))
    const columns = {
      Version: (version: PolicyVersion) => version.VersionId,
      Default: (version: PolicyVersion) => version.IsDefaultVersion,
      Created: (version: PolicyVersion) => version.CreateDate,
    }
    return { json: { Versions }, view: table(Versions, columns, 'There are no versions.') }
  })
}

function setDefault(parent: Command): void {
  const command = verb(parent, 'set-default <policy> <version-id>', {
    about: 'Let another version of a managed policy count',
    examples: ['policy set-default decrypt v1'],
  })
  runs(command, async (session, _options, policy = '', VersionId = '') => {
    const PolicyArn = await ownArn(session, 'policy', policy)
    const json = await session.keyhold('SetDefaultPolicyVersion', { PolicyArn, VersionId })
    return { json, view: `The default version of ${policy} is ${VersionId}.` }
  })
}

const ATTACHING = {
  Attach: { name: 'attach', about: 'Attach a managed policy to a user or role', done: 'Attached' },
  Detach: { name: 'detach', about: 'Detach a managed policy from them', done: 'Detached' },
} as const

function attachOrDetach(parent: Command, operation: keyof typeof ATTACHING): void {
  const { name, about, done } = ATTACHING[operation]
  const command = verb(parent, `${name} <policy>`, {
    about,
    examples: [`policy ${name} decrypt --role deployer`],
  })
  runs<TargetOptions>(targetOptions(command), async (session, options, policy = '') => {
    const { kind, member, text } = requiredTarget(options)
    const PolicyArn = await ownArn(session, 'policy', policy)
    const json = await session.keyhold(`${operation}${kind}Policy`, { ...member, PolicyArn })
    const preposition = operation === 'Attach' ? 'to' : 'from'
    return { json, view: `${done} ${policy} ${preposition} ${text}.` }
  })
}

function put(parent: Command): void {
  const command = verb(parent, 'put <policy>', {
    about: 'Write an inline policy of a user or role, or a new default version of a managed policy',
    examples: [
      'policy put own --user alice --policy-file own.json',
      'policy put decrypt --policy-file - < decrypt.json',
    ],
  }).requiredOption(...FILE)
  runs<TargetOptions & { readonly policyFile: string }>(
    targetOptions(command),
    async (session, options, policy = '') => {
      const target = targetOf(options)
      const PolicyDocument = await readPolicy(options.policyFile)
      if (target !== null) {
        const input = { ...target.member, PolicyName: policy, PolicyDocument }
        const json = await session.keyhold(`Put${target.kind}Policy`, input)
        return { json, view: `The policy ${policy} of ${target.text} is written.` }
      }
      const PolicyArn = await ownArn(session, 'policy', policy)
      const input = { PolicyArn, PolicyDocument, SetAsDefault: true }
      const answer = await session.keyhold<{ PolicyVersion: PolicyVersion }>(
        'CreatePolicyVersion',
        input,
      )
      const { VersionId } = answer.PolicyVersion
      return { json: answer, view: `The default version of ${policy} is ${VersionId}.` }
    },
  )
}

interface RemoveOptions extends TargetOptions {
  readonly versionId?: string
  readonly withVersions?: boolean
}

function remove(parent: Command): void {
  const command = verb(parent, 'delete <policy>', {
    about: 'Delete a managed policy, one version of it, or an inline policy of a user or role',
    examples: ['policy delete own --user alice', 'policy delete decrypt --version-id v1'],
  })
    .option('--version-id <version-id>', 'only this version')
    .option('--with-versions', 'and before it all but its default version')
  runs<RemoveOptions>(targetOptions(command), async (session, options, policy = '') => {
    const target = targetOf(options)
    const { versionId: VersionId } = options
    const which = VersionId === undefined ? '' : `the version ${VersionId} of `
    const whose = target === null ? '' : ` of ${target.text}`
    await confirm(`Delete ${which}the policy ${policy}${whose}?`, session.flags)
    const view = `Deleted ${which}the policy ${policy}${whose}.`
    if (target !== null) {
      const input = { ...target.member, PolicyName: policy }
      return { json: await session.keyhold(`Delete${target.kind}Policy`, input), view }
    }
    const PolicyArn = await ownArn(session, 'policy', policy)
    if (VersionId !== undefined) {
      return { json: await session.keyhold('DeletePolicyVersion', { PolicyArn, VersionId }), view }
    }
    if (options.withVersions) await deleteVersions(session, PolicyArn)
    return { json: await session.keyhold('DeletePolicy', { PolicyArn }), view }
  })
}

async function deleteVersions(session: Session, PolicyArn: string): Promise<void> {
  for (const { VersionId, IsDefaultVersion } of await versionsOf(session, PolicyArn)) {
    session.progress.tell(`Deleting version ${VersionId}`)
    if (!IsDefaultVersion) await session.keyhold('DeletePolicyVersion', { PolicyArn, VersionId })
  }
}
