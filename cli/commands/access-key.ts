import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { readyToSave, saveMade } from '../connection/save-credentials.ts'
import { confirm } from '../input/terminal.ts'
import { details, table } from '../output/view.ts'
import type { AccessKeyMetadata } from './iam-shapes.ts'

/** `keyhold access-key …` */
export function accessKeyVerbs(parent: Command): void {
  create(parent)
  runs(
    verb(parent, 'list [user-name]', { about: 'List access keys of a user, or your own' }),
    async (session, _options, UserName) => {
      const keys = await session.list<AccessKeyMetadata>('ListAccessKeys', 'AccessKeyMetadata', {
        UserName,
      })
      return {
        json: { AccessKeyMetadata: keys },
        view: table(keys, COLUMNS, 'There are no access keys.'),
      }
    },
  )
  change(parent, 'deactivate', 'Let an access key sign no more, until it is activated', 'Inactive')
  change(parent, 'activate', 'Let a deactivated access key sign again', 'Active')
  remove(parent)
  lastUsed(parent)
}

const COLUMNS = {
  'Access key id': (key: AccessKeyMetadata) => key.AccessKeyId,
  User: (key: AccessKeyMetadata) => key.UserName,
  Status: (key: AccessKeyMetadata) => key.Status,
  Created: (key: AccessKeyMetadata) => key.CreateDate,
}

const USER = ['--user <user-name>', 'whose it is, if it is not your own'] as const

interface UserOption {
  readonly user?: string
}

interface Created {
  readonly AccessKey: AccessKeyMetadata & { readonly SecretAccessKey: string }
}

function create(parent: Command): void {
  const command = verb(parent, 'create [user-name]', {
    about: 'Create an access key for a user, or for yourself; the secret is shown only now',
    examples: ['access-key create alice', 'access-key create alice --save-profile alice'],
  }).option('--save-profile <name>', 'write it into this profile in ~/.aws, and show no secret')
  runs<{ readonly saveProfile?: string }>(
    command,
    async (session, { saveProfile: profile }, UserName) => {
      await readyToSave(session, profile)
      const answer = await session.keyhold<Created>('CreateAccessKey', { UserName })
      const { SecretAccessKey, ...shown } = answer.AccessKey
      if (profile === undefined) return { json: answer, view: keyDetails(answer.AccessKey) }
      const credentials = { accessKeyId: shown.AccessKeyId, secretAccessKey: SecretAccessKey }
      const path = saveMade(session, profile, credentials)
      return {
        json: { AccessKey: shown, Profile: profile },
        view: [keyDetails(shown), `It is in the profile ${profile} in ${path}.`],
      }
    },
  )
}

const keyDetails = (key: AccessKeyMetadata & { readonly SecretAccessKey?: string }) =>
  details({
    'Access key id': key.AccessKeyId,
    'Secret access key': key.SecretAccessKey,
    User: key.UserName,
    Status: key.Status,
    Created: key.CreateDate,
  })

function change(
  parent: Command,
  name: 'activate' | 'deactivate',
  about: string,
  Status: AccessKeyMetadata['Status'],
): void {
  const command = verb(parent, `${name} <access-key-id>`, { about }).option(...USER)
  runs<UserOption>(command, async (session, { user: UserName }, AccessKeyId) => {
    const json = await session.keyhold('UpdateAccessKey', { UserName, AccessKeyId, Status })
    return { json, view: `The access key ${AccessKeyId} is ${Status.toLowerCase()}.` }
  })
}

function remove(parent: Command): void {
  const command = verb(parent, 'delete <access-key-id>', { about: 'Delete an access key' })
  command.option(...USER)
  runs<UserOption>(command, async (session, { user: UserName }, AccessKeyId) => {
    await confirm(`Delete the access key ${AccessKeyId}?`, session.flags)
    const json = await session.keyhold('DeleteAccessKey', { UserName, AccessKeyId })
    return { json, view: `Deleted the access key ${AccessKeyId}.` }
  })
}

interface LastUsed {
  readonly UserName?: string
  readonly AccessKeyLastUsed: {
    readonly LastUsedDate?: Date
    readonly ServiceName: string
    readonly Region: string
  }
}

function lastUsed(parent: Command): void {
  const about = 'Say when an access key signed last, for which service and where'
  const command = verb(parent, 'last-used <access-key-id>', { about })
  runs(command, async (session, _options, AccessKeyId) => {
    const answer = await session.keyhold<LastUsed>('GetAccessKeyLastUsed', { AccessKeyId })
    const { LastUsedDate, ServiceName, Region } = answer.AccessKeyLastUsed
    if (LastUsedDate === undefined) return { json: answer, view: 'It has not been used.' }
    const { UserName } = answer
    return {
      json: answer,
      view: details({ User: UserName, 'Last used': LastUsedDate, Service: ServiceName, Region }),
    }
  })
}
