import type { AccessRequest, Denied, PolicySide } from './decide.ts'

/** What the sentence needs of a request. */
type Told = Pick<AccessRequest, 'action' | 'resource'> & {
  readonly caller: Pick<AccessRequest['caller'], 'arn' | 'account'>
}

/**
 * The sentence AWS gives with AccessDenied (IAM User Guide, "Troubleshoot access denied error
 * messages"). A caller of another account does not learn the resource, nor whether it exists; nobody
 * learns more of a role than that it may not be assumed.
 */
export function deniedText(request: Told, denied: Denied): string {
  if (denied.where === 'role-trust') return trustDeniedText(request)
  if (isForeign(request) && denied.where === 'resource-based') return hiddenResourceText(request)
  return `${attempt(request)}${place(request)} ${cause(request.action, denied)}`
}

/** Actions whose key is told by a ciphertext, whether the request names it too or not. */
const BY_CIPHERTEXT: ReadonlySet<string> = new Set(['kms:Decrypt', 'kms:ReEncryptFrom'])

/** The sentence that tells nothing of the resource, not even whether it exists. */
export const hiddenResourceText = (request: Told): string =>
  `${attempt(request)} on ${BY_CIPHERTEXT.has(request.action) ? 'the resource associated with this ciphertext' : 'this resource'} because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`

/** What STS says to who may not assume a role, whether there is such a role or not. */
export const trustDeniedText = (request: Told): string =>
  `${attempt(request)} on resource: ${request.resource?.arn ?? '*'}`

const attempt = ({ caller, action }: Told): string =>
  `User: ${caller.arn} is not authorized to perform: ${action}`

/** As the sentence names them, with their article. */
const NAMES: Readonly<Record<PolicySide, readonly [article: string, name: string]>> = {
  'identity-based': ['an', 'identity-based policy'],
  'resource-based': ['a', 'resource-based policy'],
  'permissions-boundary': ['a', 'permissions boundary'],
  session: ['a', 'session policy'],
  'service-control': ['a', 'service control policy'],
  'role-trust': ['the', 'role trust policy'],
}

function cause(action: string, { reason, where }: Denied): string {
  const [article, name] = NAMES[where]
  if (reason === 'implicit-deny') return `because no ${name} allows the ${action} action`
  return `with an explicit deny in ${article} ${name}`
}

/** S3 puts the ARN in quotes, CloudTrail leaves it out where there is none. */
function place(request: Told): string {
  const { action, resource } = request
  if (resource === null) return action.startsWith('cloudtrail:') ? '' : ' on resource: *'
  if (action.startsWith('sts:')) return ` on resource: ${resource.arn}`
  if (isForeign(request)) return ' on this resource'
  return ` on resource: ${action.startsWith('s3:') ? `"${resource.arn}"` : resource.arn}`
}

const isForeign = ({ caller, resource }: Told): boolean =>
  resource !== null && resource.account !== caller.account
