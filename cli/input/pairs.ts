/** Options that are given several times, each a name with a value. */
import { InvalidArgumentError } from 'commander'

export type Pairs = Readonly<Record<string, string>>

/**
 * Collects `name=value` for commander.
 * @throws InvalidArgumentError for what has no `=` or no name, and for a name that is there already
 */
export function pair(given: string, before: Pairs = {}): Pairs {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(given) ?? []
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError('It must be name=value.')
  }
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is there twice.`)
  return { ...before, [name]: value }
}

/** Tags as IAM has them. */
export const tagList = (tags: Pairs | undefined) =>
  tags === undefined ? {} : { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }

/** Tags as KMS has them. */
export const kmsTagList = (tags: Pairs | undefined) =>
  tags === undefined
    ? {}
    : { Tags: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })) }
