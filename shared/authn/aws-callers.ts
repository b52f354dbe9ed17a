/**
 * Callers whom AWS knows, and which role each may have here. Accounts of AWS are not the accounts of
 * tenants, even where they have the same number: an AWS caller is somebody whom a provider vouches
 * for, named `sts.amazonaws.com`.
 */

import { splitRoleArn } from './role-arn.ts'
import { isObject, readSettingList } from './setting.ts'

/** As trust policies name AWS as a provider. */
export const AWS_PROVIDER = 'sts.amazonaws.com'

export interface AwsCaller {
  /** Of AWS. */
  readonly account: string
  /**
   * `arn:aws:iam::999988887777:role/ci`, without the path that AWS does not tell of sessions, or
   * `arn:aws:iam::999988887777:user/path/ann`.
   */
  readonly principal: string
  /** The session's or the user's. */
  readonly name: string
}

export interface AwsCallerMapping {
  readonly principal: string
  readonly roleArn: string
}

const SETTING = 'KEYHOLD_AWS_CALLERS'
const USER = /^arn:aws[a-z-]*:iam::([0-9]{12}):user\/(?:[!-~]+\/)?([\w+=,.@-]{1,64})$/
const ROLE = /^(arn:aws[a-z-]*):iam::([0-9]{12}):role\/(?:[!-~]+\/)?([\w+=,.@-]{1,64})$/
const SESSION =
  /^(arn:aws[a-z-]*):sts::([0-9]{12}):assumed-role\/([\w+=,.@-]{1,64})\/([\w+=,.@-]{2,64})$/

/**
 * @param iam - `requestContext.authorizer.iam` of API Gateway's event
 * @returns who it is; `null` for the root of an account, and for whatever has not the form of one
 */
export function awsCallerOf(iam: {
  readonly accountId?: unknown
  readonly userArn?: unknown
}): AwsCaller | null {
  const { accountId, userArn } = iam
  if (typeof accountId !== 'string' || typeof userArn !== 'string') return null
  const caller = sessionCaller(userArn) ?? userCaller(userArn)
  return caller?.account === accountId ? caller : null
}

/**
 * @param setting - `KEYHOLD_AWS_CALLERS`: a JSON list, or the path of a file with one; may be empty
 * @throws RangeError with a sentence for whoever set it
 */
export const parseAwsCallers = (setting: string): readonly AwsCallerMapping[] =>
  readSettingList(SETTING, setting).map((entry) => {
    const { aws, role } = isObject(entry) ? entry : {}
    const principal = typeof aws === 'string' ? principalOf(aws) : null
    if (principal === null) {
      throw wrong(`names what is neither a user nor a role of AWS: ${JSON.stringify(aws)}`)
    }
    if (typeof role !== 'string' || splitRoleArn(role) === null) {
      throw wrong(`maps to what is not the ARN of a role: ${JSON.stringify(role)}`)
    }
    return { principal, roleArn: role }
  })

function sessionCaller(arn: string): AwsCaller | null {
  const [, prefix, account = '', role, name = ''] = SESSION.exec(arn) ?? []
  return prefix === undefined
    ? null
    : { account, principal: `${prefix}:iam::${account}:role/${role}`, name }
}

function userCaller(arn: string): AwsCaller | null {
  const [, account, name = ''] = USER.exec(arn) ?? []
  return account === undefined ? null : { account, principal: arn, name }
}

/** In the form in which AWS tells callers: roles without their path. */
function principalOf(arn: string): string | null {
  if (USER.test(arn)) return arn
  const [, prefix, account, name] = ROLE.exec(arn) ?? []
  return prefix === undefined ? null : `${prefix}:iam::${account}:role/${name}`
}

const wrong = (what: string): RangeError => new RangeError(`${SETTING} ${what}.`)
