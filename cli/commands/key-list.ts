import type { KeyListEntry, KeyMetadata } from '@aws-sdk/client-kms'
import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { table } from '../output/view.ts'
import { isRefusal, Refusal } from '../problem.ts'
import type { Session } from '../session.ts'

/** What is known of a key: of those that may not be described, no more than id, ARN and aliases. */
type ListedKey = Partial<KeyMetadata> & { readonly Aliases: readonly string[] }

/** How many keys are described at a time. */
const AT_ONCE = 8

/** `keyhold key list` */
export function keyListVerb(parent: Command): void {
  const command = verb(parent, 'list', { about: 'List the keys of your account and Region' })
  runs(command, async (session) => {
    const [entries, aliases] = await Promise.all([keysOf(session), aliasesByKey(session)])
    const Keys = await describeAll(session, entries, aliases)
    const columns = {
      'Key id': (key: ListedKey) => key.KeyId,
      Aliases: (key: ListedKey) => key.Aliases.join(', '),
      State: (key: ListedKey) => key.KeyState,
      Spec: (key: ListedKey) => key.KeySpec,
      Usage: (key: ListedKey) => key.KeyUsage,
      Created: (key: ListedKey) => key.CreationDate,
    }
    return { json: { Keys }, view: table(Keys, columns, 'There are no keys in this Region.') }
  })
}

async function keysOf(session: Session): Promise<readonly KeyListEntry[]> {
  const { client, sdk } = await session.kms()
  const all: KeyListEntry[] = []
  for await (const { Keys = [] } of sdk.paginateListKeys({ client, pageSize: 1000 }, {})) {
    all.push(...Keys)
    session.progress.tell(`${all.length} keys`)
  }
  return all
}

/** Without permission to list aliases, keys have none. */
async function aliasesByKey(session: Session): Promise<ReadonlyMap<string, readonly string[]>> {
  const { client, sdk } = await session.kms()
  const byKey = new Map<string, string[]>()
  try {
    for await (const { Aliases = [] } of sdk.paginateListAliases({ client, pageSize: 100 }, {})) {
      for (const { AliasName, TargetKeyId } of Aliases) {
        if (AliasName === undefined || TargetKeyId === undefined) continue
        byKey.set(TargetKeyId, [...(byKey.get(TargetKeyId) ?? []), AliasName])
      }
    }
  } catch (error) {
    if (!isRefusal(error, 'AccessDeniedException')) throw error
  }
  return byKey
}

/** In the order of the list, `AT_ONCE` at a time. */
async function describeAll(
  session: Session,
  entries: readonly KeyListEntry[],
  aliases: ReadonlyMap<string, readonly string[]>,
): Promise<readonly ListedKey[]> {
  const { client, sdk } = await session.kms()
  const described: ListedKey[] = []
  const waiting = entries.entries()
  const work = async (): Promise<void> => {
    for (const [at, { KeyId, KeyArn }] of waiting) {
      const Aliases = aliases.get(KeyId ?? '') ?? []
      try {
        const { KeyMetadata } = await client.send(new sdk.DescribeKeyCommand({ KeyId }))
        described[at] = { ...KeyMetadata, Aliases }
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        described[at] = { ...(KeyId && { KeyId }), ...(KeyArn && { Arn: KeyArn }), Aliases }
      }
      session.progress.tell(`${at + 1} of ${entries.length} keys described`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return described
}
