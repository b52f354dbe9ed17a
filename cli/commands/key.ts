import type { CreateKeyCommandInput } from '@aws-sdk/client-kms'
import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { answerOf } from '../connection/kms.ts'
import { wholeNumber } from '../input/numbers.ts'
import { kmsTagList, type Pairs, pair } from '../input/pairs.ts'
import { readPolicy } from '../input/policy-file.ts'
import { confirm } from '../input/terminal.ts'
import { cellText } from '../output/view.ts'
import { Refusal } from '../problem.ts'
import { keyAccessVerbs } from './key-access.ts'
import { impactInShort, impactText } from './key-impact.ts'
import { keyListVerb } from './key-list.ts'
import { describe, keyIdOf } from './key-name.ts'
import { keyDetails, keyShowVerb } from './key-show.ts'

/** `keyhold key …` */
export function keyVerbs(parent: Command): void {
  create(parent)
  keyListVerb(parent)
  keyShowVerb(parent)
  enableOrDisable(parent, 'enable')
  enableOrDisable(parent, 'disable')
  rotate(parent)
  scheduleDeletion(parent)
  cancelDeletion(parent)
  keyAccessVerbs(parent)
}

interface CreateOptions {
  readonly description?: string
  readonly alias?: string
  readonly spec?: CreateKeyCommandInput['KeySpec']
  readonly usage?: CreateKeyCommandInput['KeyUsage']
  readonly origin?: CreateKeyCommandInput['Origin']
  readonly multiRegion?: boolean
  readonly policyFile?: string
  readonly tag?: Pairs
}

function create(parent: Command): void {
  const command = verb(parent, 'create', {
    about: 'Create a key',
    examples: [
      'key create --alias payments --description "card numbers" --tag team=payments',
      'key create --spec ECC_NIST_P256 --usage SIGN_VERIFY',
    ],
  })
    .option('--alias <name>', 'and an alias for it, with or without alias/')
    .option('--description <text>', 'what it is for')
    .option('--spec <key-spec>', 'SYMMETRIC_DEFAULT, RSA_4096, ECC_NIST_P256, HMAC_256, …')
    .option('--usage <key-usage>', 'ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC, …')
    .option('--origin <origin>', 'EXTERNAL for material that you import')
    .option('--multi-region', 'that can be replicated to other Regions')
    .option('--policy-file <file>', 'the key policy; - is the input')
    .option('--tag <name=value>', 'a tag; several can be given', pair)
  runs<CreateOptions>(command, async (session, options) => {
    const { client, sdk } = await session.kms()
    const policy = options.policyFile === undefined ? null : await readPolicy(options.policyFile)
    const { KeyMetadata } = await client.send(
      new sdk.CreateKeyCommand({
        Description: options.description,
        KeySpec: options.spec,
        KeyUsage: options.usage,
        Origin: options.origin,
        MultiRegion: options.multiRegion,
        ...(policy === null ? {} : { Policy: policy }),
        ...kmsTagList(options.tag),
      }),
    )
    const Aliases = options.alias === undefined ? [] : [aliasName(options.alias)]
    for (const AliasName of Aliases) {
      const input = { AliasName, TargetKeyId: KeyMetadata?.KeyId }
      await client.send(new sdk.CreateAliasCommand(input)).catch((error: unknown) => {
        throw withoutAlias(KeyMetadata?.KeyId ?? '', error)
      })
    }
    return { json: { KeyMetadata, Aliases }, view: keyDetails(KeyMetadata ?? {}, Aliases) }
  })
}

/** Who made a key is told its id in any case; it would be lost among the others. */
const withoutAlias = (keyId: string, error: unknown): unknown =>
  error instanceof Refusal
    ? new Refusal(error.code, `Created ${keyId}, but no alias. ${error.message}`, error.requestId)
    : error

const aliasName = (name: string): string => (name.startsWith('alias/') ? name : `alias/${name}`)

const SWITCHING = {
  enable: { about: 'Let a disabled key be used again', done: 'enabled' },
  disable: { about: 'Let a key be used no more, until it is enabled', done: 'disabled' },
} as const

function enableOrDisable(parent: Command, name: keyof typeof SWITCHING): void {
  const { about, done } = SWITCHING[name]
  runs(verb(parent, `${name} <key>`, { about }), async (session, _options, key = '') => {
    const { client, sdk } = await session.kms()
    const input = { KeyId: await keyIdOf(session, key) }
    const answer =
      name === 'enable'
        ? await client.send(new sdk.EnableKeyCommand(input))
        : await client.send(new sdk.DisableKeyCommand(input))
    return { json: answerOf(answer), view: `The key ${key} is ${done}.` }
  })
}

interface RotateOptions {
  readonly every?: number
  readonly stop?: boolean
}

function rotate(parent: Command): void {
  const command = verb(parent, 'rotate <key>', {
    about: 'Give a key new material now, or automatically',
    examples: ['key rotate alias/payments', 'key rotate alias/payments --every 90'],
  })
    .option('--every <days>', 'do so by itself, this often', wholeNumber(90, 2560))
    .option('--stop', 'do so by itself no more')
  runs<RotateOptions>(command, async (session, { every, stop }, key = '') => {
    const { client, sdk } = await session.kms()
    const KeyId = await keyIdOf(session, key)
    if (stop) {
      const answer = await client.send(new sdk.DisableKeyRotationCommand({ KeyId }))
      return { json: answerOf(answer), view: `The key ${key} does not rotate by itself.` }
    }
    if (every !== undefined) {
      const input = { KeyId, RotationPeriodInDays: every }
      const answer = await client.send(new sdk.EnableKeyRotationCommand(input))
      return { json: answerOf(answer), view: `The key ${key} rotates every ${every} days.` }
    }
    const answer = await client.send(new sdk.RotateKeyOnDemandCommand({ KeyId }))
    return { json: answerOf(answer), view: `The key ${key} gets new material.` }
  })
}

function scheduleDeletion(parent: Command): void {
  const command = verb(parent, 'schedule-deletion <key>', {
    about: 'Delete a key after a waiting period; what it encrypted can then never be read again',
    examples: ['key schedule-deletion 1234abcd-12ab-34cd-56ef-1234567890ab --days 30'],
  }).option('--days <count>', 'the waiting period', wholeNumber(7, 30), 30)
  runs<{ readonly days: number }>(command, async (session, { days }, key = '') => {
    const { Arn = key, Description } = await describe(session, key)
    const about = Description ? ` (${Description})` : ''
    const Impact = await impactInShort(session, Arn)
    const stored = Impact === null ? '' : `, ${impactText(Impact)} among it`
    await confirm(
      `Delete the key ${Arn}${about} in ${days} days? What it encrypted is lost then${stored}.`,
      session.flags,
    )
    const { client, sdk } = await session.kms()
    const input = { KeyId: Arn, PendingWindowInDays: days }
    const answer = await client.send(new sdk.ScheduleKeyDeletionCommand(input))
    const when = answer.DeletionDate === undefined ? '' : ` on ${cellText(answer.DeletionDate)}`
    const lost = Impact === null ? '' : ` With it goes ${impactText(Impact)}.`
    const hint = ` See keyhold impact ${Arn}.`
    return {
      json: { ...answerOf(answer), ...(Impact === null ? {} : { Impact }) },
      view: `The key ${Arn} will be deleted${when}.${lost}${hint}`,
    }
  })
}

function cancelDeletion(parent: Command): void {
  const command = verb(parent, 'cancel-deletion <key>', {
    about: 'Keep a key that was to be deleted; it is disabled then',
  })
  runs(command, async (session, _options, key = '') => {
    const { client, sdk } = await session.kms()
    const input = { KeyId: await keyIdOf(session, key) }
    const answer = await client.send(new sdk.CancelKeyDeletionCommand(input))
    return { json: answerOf(answer), view: `The key ${key} stays. Enable it to use it.` }
  })
}
