import type { GetKeyRotationStatusCommandOutput, KeyMetadata } from '@aws-sdk/client-kms'
import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { answerOf } from '../connection/kms.ts'
import { details } from '../output/view.ts'
import { Refusal } from '../problem.ts'
import type { Session } from '../session.ts'
import { describe } from './key-name.ts'

type Rotation = Omit<GetKeyRotationStatusCommandOutput, '$metadata'>

/** `keyhold key show` */
export function keyShowVerb(parent: Command): void {
  const command = verb(parent, 'show <key>', {
    about: 'Show a key, by its id, ARN or alias',
    examples: ['key show alias/payments'],
  })
  runs(command, async (session, _options, key = '') => {
    const metadata = await describe(session, key)
    const [Aliases, Rotation] = await Promise.all([
      orNothing(() => aliasesOf(session, metadata)),
      orNothing(() => rotationOf(session, metadata)),
    ])
    return {
      json: { KeyMetadata: metadata, ...(Aliases && { Aliases }), ...(Rotation && { Rotation }) },
      view: keyDetails(metadata, Aliases ?? [], Rotation),
    }
  })
}

/** What one may not see, or a key of this kind has not, is left out. */
async function orNothing<Value>(ask: () => Promise<Value>): Promise<Value | null> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof Refusal) return null
    throw error
  }
}

async function aliasesOf(session: Session, { Arn }: KeyMetadata): Promise<readonly string[]> {
  const { client, sdk } = await session.kms()
  const names: string[] = []
  for await (const { Aliases = [] } of sdk.paginateListAliases({ client }, { KeyId: Arn })) {
    names.push(...Aliases.flatMap(({ AliasName }) => AliasName ?? []))
  }
  return names
}

async function rotationOf(session: Session, { Arn }: KeyMetadata): Promise<Rotation> {
  const { client, sdk } = await session.kms()
  return answerOf(await client.send(new sdk.GetKeyRotationStatusCommand({ KeyId: Arn })))
}

/** A key as people are shown it. */
export const keyDetails = (
  metadata: Partial<KeyMetadata>,
  aliases: readonly string[],
  rotation: Rotation | null = null,
) =>
  details({
    'Key id': metadata.KeyId,
    ARN: metadata.Arn,
    Aliases: aliases.join(', '),
    Description: metadata.Description,
    State: metadata.KeyState,
    Spec: metadata.KeySpec,
    Usage: metadata.KeyUsage,
    Origin: metadata.Origin,
    'Multi-Region': metadata.MultiRegionConfiguration?.MultiRegionKeyType?.toLowerCase(),
    Rotation: rotationText(rotation),
    Created: metadata.CreationDate,
    'To be deleted': metadata.DeletionDate,
    'Material expires': metadata.ValidTo,
  })

function rotationText(rotation: Rotation | null): string | null {
  if (rotation === null) return null
  const { KeyRotationEnabled, RotationPeriodInDays, NextRotationDate } = rotation
  if (KeyRotationEnabled !== true) return 'off'
  const next = NextRotationDate?.toISOString().slice(0, 10)
  return `every ${RotationPeriodInDays} days${next === undefined ? '' : `, next on ${next}`}`
}
