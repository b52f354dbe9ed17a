/** What an alias may be called and how many a key may have (AWS KMS Developer Guide, "Aliases"). */
import { JsonError } from '../errors.ts'
import { type AliasName, aliasNameOf } from '../ids.ts'

export const MAX_ALIASES_PER_KEY = 50

const PREFIX = 'alias/'
const RESERVED_PREFIX = 'alias/aws/'
const ALLOWED = /^alias\/[a-zA-Z0-9/_-]+$/

/**
 * @param text - as it came in a request that writes the alias
 * @throws JsonError ValidationException, or NotAuthorizedException for a name that AWS services own
 */
export function requireOwnAliasName(text: string): AliasName {
  if (!text.startsWith(PREFIX) || text === PREFIX) {
    throw new JsonError(
      'ValidationException',
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    )
  }
  if (text.startsWith(RESERVED_PREFIX)) throw new JsonError('NotAuthorizedException')
  if (!ALLOWED.test(text)) {
    throw new JsonError('ValidationException', `${text} contains invalid characters for an alias`)
  }
  return aliasNameOf(text)
}

/** @throws JsonError ValidationException when the target of an alias is named by an alias */
export function refuseAliasTarget(target: string): void {
  if (target.startsWith(PREFIX) || /^arn:[^:]*:kms:[^:]*:[^:]*:alias\//.test(target)) {
    throw new JsonError('ValidationException', 'Aliases must refer to keys. Not aliases')
  }
}
