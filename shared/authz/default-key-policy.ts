/** How KMS writes policies: the one it gives a key that came without, and those it gives back. */
import { type AccountId, PARTITION } from '../ids.ts'
import {
  type PolicyJson,
  type PolicyObject,
  parsePolicyJson,
  type Unquoted,
} from './policy-json.ts'

/**
 * The policy of a key that was created without one: it leaves the key to the account's identity
 * policies (KMS Developer Guide, "Default key policy").
 */
export const defaultKeyPolicy = (account: AccountId): string => `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:${PARTITION}:iam::${account}:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`

/**
 * A policy as KMS gives it back: members one to a line with spaces around the colon, lists on the
 * line they start on. The members and their order stay as they are.
 * @throws PolicyProblem when the text is not JSON as policies may have it
 */
export const renderPolicy = (text: string): string => render(parsePolicyJson(text), '')

/**
 * A policy in which principals go by other names: by their stable ids where it is kept, so that who is
 * made anew under an old name is not who is meant, and by their ARNs where it is shown (IAM User
 * Guide, "AWS JSON policy elements: Principal").
 * @param rename - each `AWS` principal as it stands; what it stands for from now on
 * @returns the text as `renderPolicy` writes it
 * @throws PolicyProblem as `renderPolicy`
 */
export function renamePrincipals(text: string, rename: (principal: string) => string): string {
  const names = (json: PolicyJson): PolicyJson => {
    if (typeof json === 'string') return rename(json)
    return Array.isArray(json) ? json.map(names) : json
  }
  const inElement = (json: PolicyJson): PolicyJson => changed(json, (name) => name === 'AWS', names)
  const inStatement = (json: PolicyJson): PolicyJson =>
    Array.isArray(json) ? json.map(inStatement) : changed(json, isPrincipal, inElement)
  return render(
    changed(parsePolicyJson(text), (name) => name === 'Statement', inStatement),
    '',
  )
}

const isPrincipal = (name: string): boolean => name === 'Principal' || name === 'NotPrincipal'

/** An object with some of its members changed; anything else as it is. */
const changed = (
  json: PolicyJson,
  which: (name: string) => boolean,
  change: (value: PolicyJson) => PolicyJson,
): PolicyJson =>
  json instanceof Map
    ? new Map(
        Array.from(json as PolicyObject, ([name, value]): [string, PolicyJson] => [
          name,
          which(name) ? change(value) : value,
        ]),
      )
    : json

function render(json: PolicyJson, indent: string): string {
  if (typeof json === 'string') return JSON.stringify(json)
  if (Array.isArray(json)) return renderList(json as readonly PolicyJson[], indent)
  if (json instanceof Map) return renderObject(json as PolicyObject, indent)
  return (json as Unquoted).unquoted
}

const renderList = (items: readonly PolicyJson[], indent: string): string =>
  items.length === 0 ? '[ ]' : `[ ${items.map((item) => render(item, indent)).join(', ')} ]`

function renderObject(members: PolicyObject, indent: string): string {
  if (members.size === 0) return '{ }'
  const inner = `${indent}  `
  const lines = Array.from(
    members,
    ([name, value]) => `${inner}${JSON.stringify(name)} : ${render(value, inner)}`,
  )
  return `{\n${lines.join(',\n')}\n${indent}}`
}
