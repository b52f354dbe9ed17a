import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { type Pairs, pair, tagList } from '../input/pairs.ts'
import { confirm } from '../input/terminal.ts'
import { details, table } from '../output/view.ts'
import type { Session } from '../session.ts'
import { type AccessKeyMetadata, tagText, type User } from './iam-shapes.ts'
import { clear, principalVerbs } from './principal-verbs.ts'

/** `keyhold user …` */
export function userVerbs(parent: Command): void {
  create(parent)
  list(parent)
  runs(
    verb(parent, 'show <user-name>', { about: 'Show a user' }),
    async (session, _options, UserName) => {
      const answer = await session.keyhold<{ User: User }>('GetUser', { UserName })
      return { json: answer, view: userDetails(answer.User) }
    },
  )
  remove(parent)
  principalVerbs(parent, 'User')
}

const userDetails = (user: User) =>
  details({
    Name: user.UserName,
    ARN: user.Arn,
    'User id': user.UserId,
    Created: user.CreateDate,
    Boundary: user.PermissionsBoundary?.PermissionsBoundaryArn,
    Tags: tagText(user.Tags),
  })

interface CreateOptions {
  readonly path?: string
  readonly boundary?: string
  readonly tag?: Pairs
}

function create(parent: Command): void {
  const command = verb(parent, 'create <user-name>', {
    about: 'Create a user, who may do nothing yet',
    examples: [
      'user create alice --tag team=payments',
      'policy put decrypt --user alice --policy-file decrypt.json',
      'access-key create alice --save-profile alice',
    ],
  })
    .option('--path <path>', 'part of its ARN: /payments/')
    .option('--boundary <policy-arn>', 'the policy that bounds its permissions')
    .option('--tag <name=value>', 'a tag; several can be given', pair)
  runs<CreateOptions>(command, async (session, options, UserName) => {
    const answer = await session.keyhold<{ User: User }>('CreateUser', {
      UserName,
      Path: options.path,
      PermissionsBoundary: options.boundary,
      ...tagList(options.tag),
    })
    return { json: answer, view: userDetails(answer.User) }
  })
}

function list(parent: Command): void {
  const command = verb(parent, 'list', { about: 'List users' }).option(
    '--path-prefix <path>',
    'only those below this path',
  )
  runs<{ readonly pathPrefix?: string }>(command, async (session, { pathPrefix }) => {
    const Users = await session.list<User>('ListUsers', 'Users', { PathPrefix: pathPrefix })
    const columns = {
      Name: (user: User) => user.UserName,
      'User id': (user: User) => user.UserId,
      Created: (user: User) => user.CreateDate,
      ARN: (user: User) => user.Arn,
    }
    return { json: { Users }, view: table(Users, columns, 'There are no users.') }
  })
}

interface RemoveOptions {
  readonly withContents?: boolean
}

function remove(parent: Command): void {
  const command = verb(parent, 'delete <user-name>', {
    about: 'Delete a user',
    examples: ['user delete alice', 'user delete alice --with-contents --yes'],
  }).option('--with-contents', 'and before it its access keys and inline policies')
  runs<RemoveOptions>(command, async (session, { withContents }, UserName = '') => {
    const what = withContents ? ' with its access keys and inline policies' : ''
    await confirm(`Delete the user ${UserName}${what}?`, session.flags)
    if (withContents) {
      await deleteAccessKeys(session, UserName)
      await clear(session, 'User', UserName)
    }
    const json = await session.keyhold('DeleteUser', { UserName })
    return { json, view: `Deleted the user ${UserName}.` }
  })
}

async function deleteAccessKeys(session: Session, UserName: string): Promise<void> {
  const input = { UserName }
  const keys = await session.list<AccessKeyMetadata>('ListAccessKeys', 'AccessKeyMetadata', input)
  for (const { AccessKeyId } of keys) {
    session.progress.tell(`Deleting the access key ${AccessKeyId}`)
    await session.keyhold('DeleteAccessKey', { UserName, AccessKeyId })
  }
}
