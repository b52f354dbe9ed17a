import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { wholeNumber } from '../input/numbers.ts'
import { type Pairs, pair, tagList } from '../input/pairs.ts'
import { readPolicy } from '../input/policy-file.ts'
import { confirm } from '../input/terminal.ts'
import { details, table } from '../output/view.ts'
import { assumeVerb } from './assume-role.ts'
import { policyText, type Role, tagText } from './iam-shapes.ts'
import { clear, principalVerbs } from './principal-verbs.ts'

/** `keyhold role …` */
export function roleVerbs(parent: Command): void {
  create(parent)
  list(parent)
  runs(
    verb(parent, 'show <role-name>', { about: 'Show a role' }),
    async (session, _options, RoleName) => {
      const answer = await session.keyhold<{ Role: Role }>('GetRole', { RoleName })
      return { json: answer, view: roleDetails(answer.Role) }
    },
  )
  remove(parent)
  trust(parent)
  assumeVerb(parent)
  principalVerbs(parent, 'Role')
}

const roleDetails = (role: Role) =>
  details({
    Name: role.RoleName,
    ARN: role.Arn,
    'Role id': role.RoleId,
    Description: role.Description,
    Created: role.CreateDate,
    'Longest session (s)': role.MaxSessionDuration,
    Boundary: role.PermissionsBoundary?.PermissionsBoundaryArn,
    Tags: tagText(role.Tags),
  })

interface CreateOptions {
  readonly trustFile: string
  readonly description?: string
  readonly maxSession?: number
  readonly path?: string
  readonly boundary?: string
  readonly tag?: Pairs
}

function create(parent: Command): void {
  const command = verb(parent, 'create <role-name>', {
    about: 'Create a role, which may do nothing yet',
    examples: ['role create deployer --trust-file trust.json', 'role create ci --trust-file -'],
  })
    .requiredOption('--trust-file <file>', 'the policy that says who may assume it; - is the input')
    .option('--description <text>', 'what it is for')
    .option('--max-session <seconds>', 'how long its sessions may last', wholeNumber(3600, 43_200))
    .option('--path <path>', 'part of its ARN: /payments/')
    .option('--boundary <policy-arn>', 'the policy that bounds its permissions')
    .option('--tag <name=value>', 'a tag; several can be given', pair)
  runs<CreateOptions>(command, async (session, options, RoleName) => {
    const answer = await session.keyhold<{ Role: Role }>('CreateRole', {
      RoleName,
      AssumeRolePolicyDocument: await readPolicy(options.trustFile),
      Description: options.description,
      MaxSessionDuration: options.maxSession,
      Path: options.path,
      PermissionsBoundary: options.boundary,
      ...tagList(options.tag),
    })
    return { json: answer, view: roleDetails(answer.Role) }
  })
}

function list(parent: Command): void {
  const command = verb(parent, 'list', { about: 'List roles' }).option(
    '--path-prefix <path>',
    'only those below this path',
  )
  runs<{ readonly pathPrefix?: string }>(command, async (session, { pathPrefix }) => {
    const Roles = await session.list<Role>('ListRoles', 'Roles', { PathPrefix: pathPrefix })
    const columns = {
      Name: (role: Role) => role.RoleName,
      'Role id': (role: Role) => role.RoleId,
      Created: (role: Role) => role.CreateDate,
      ARN: (role: Role) => role.Arn,
    }
    return { json: { Roles }, view: table(Roles, columns, 'There are no roles.') }
  })
}

function remove(parent: Command): void {
  const command = verb(parent, 'delete <role-name>', {
    about: 'Delete a role, which ends its sessions',
    examples: ['role delete deployer --with-contents'],
  }).option('--with-contents', 'and before it its inline policies')
  runs<{ readonly withContents?: boolean }>(
    command,
    async (session, { withContents }, RoleName = '') => {
      const what = withContents ? ' with its inline policies' : ''
      await confirm(`Delete the role ${RoleName}${what}?`, session.flags)
      if (withContents) await clear(session, 'Role', RoleName)
      const json = await session.keyhold('DeleteRole', { RoleName })
      return { json, view: `Deleted the role ${RoleName}.` }
    },
  )
}

function trust(parent: Command): void {
  const command = verb(parent, 'trust <role-name>', {
    about: 'Show who may assume a role, or say who may from now on',
    examples: ['role trust deployer', 'role trust deployer --policy-file trust.json'],
  }).option('--policy-file <file>', 'the new trust policy; - is the input')
  runs<{ readonly policyFile?: string }>(
    command,
    async (session, { policyFile }, RoleName = '') => {
      if (policyFile === undefined) {
        const answer = await session.keyhold<{ Role: Role }>('GetRole', { RoleName })
        const document = policyText(answer.Role.AssumeRolePolicyDocument ?? '')
        return { json: { AssumeRolePolicyDocument: document }, view: document }
      }
      const PolicyDocument = await readPolicy(policyFile)
      const json = await session.keyhold('UpdateAssumeRolePolicy', { RoleName, PolicyDocument })
      return { json, view: `The trust policy of ${RoleName} is replaced.` }
    },
  )
}
