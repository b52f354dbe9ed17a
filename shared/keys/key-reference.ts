/**
 * The ways to name a key, and what each wrong way answers (AWS KMS API reference, "KeyId"; texts of
 * the live service). Parsing decides nothing about whether the key exists.
 */
import { JsonError } from '../errors.ts'
import {
  type AccountId,
  type AliasName,
  aliasNameOf,
  type KeyId,
  PARTITION,
  parseAccountId,
  parseKeyId,
  type Region,
} from '../ids.ts'

export type KeyReference =
  | {
      readonly by: 'id'
      readonly account: AccountId
      readonly keyId: KeyId
      readonly given: string
    }
  | { readonly by: 'alias'; readonly account: AccountId; readonly aliasName: AliasName }

/** Who asks, and where: a bare id or alias name is looked up there and nowhere else. */
export interface Vantage {
  readonly account: AccountId
  readonly region: Region
}

/**
 * @param text - key id, key ARN, alias name or alias ARN
 * @param aliases - whether the operation takes aliases
 * @throws JsonError InvalidArnException for an alias where none is taken, NotFoundException for a
 *   malformed identifier and for an ARN of another Region
 */
export function parseKeyReference(text: string, vantage: Vantage, aliases: boolean): KeyReference {
  if (text.startsWith('arn:')) return parseArn(text, vantage, aliases)
  if (text.startsWith('alias/')) return aliasReference(vantage.account, text, aliases)
  const keyId = parseKeyId(text)
  if (keyId === null) throw new JsonError('NotFoundException', `Invalid keyId '${text}'`)
  return { by: 'id', account: vantage.account, keyId, given: text }
}

function parseArn(text: string, vantage: Vantage, aliases: boolean): KeyReference {
  const [, partition, service, region, accountText = '', ...rest] = text.split(':')
  const resource = rest.join(':')
  const account = parseAccountId(accountText)
  if (partition !== PARTITION || service !== 'kms' || account === null) {
    throw new JsonError('NotFoundException', `Invalid arn ${text}`)
  }
  if (resource.startsWith('alias/') && !aliases) throw aliasRefused()
  if (region !== vantage.region) throw new JsonError('NotFoundException', `Invalid arn ${region}`)
  if (resource.startsWith('alias/')) return aliasReference(account, resource, aliases)
  if (!resource.startsWith('key/')) throw new JsonError('NotFoundException', `Invalid arn ${text}`)
  const given = resource.slice('key/'.length)
  const keyId = parseKeyId(given)
  if (keyId === null) throw new JsonError('NotFoundException', `Invalid keyId ${given}`)
  return { by: 'id', account, keyId, given }
}

function aliasReference(account: AccountId, name: string, aliases: boolean): KeyReference {
  if (!aliases) throw aliasRefused()
  return { by: 'alias', account, aliasName: aliasNameOf(name) }
}

const aliasRefused = (): JsonError =>
  new JsonError('InvalidArnException', 'Key Aliases are not supported for this operation.')
