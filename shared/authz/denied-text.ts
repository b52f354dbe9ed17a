import type { AccessRequest, Denied } from './decide.ts'

/**
 * The sentence AWS gives with AccessDenied (IAM User Guide, "Troubleshoot access denied error
 * messages"). A caller of another account does not learn the resource, nor whether it exists.
 */
export function deniedText(request: AccessRequest, denied: Denied): string {
  if (isForeign(request) && denied.where === 'resource-based') return hiddenResourceText(request)
  return `${attempt(request)}${place(request)} ${cause(request.action, denied)}`
}

/** The sentence that tells nothing of the resource, not even whether it exists. */
export const hiddenResourceText = (request: AccessRequest): string =>
  `${attempt(request)} on the resource associated with this ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`

const attempt = ({ caller, action }: AccessRequest): string =>
  `User: ${caller.arn} is not authorized to perform: ${action}`

function cause(action: string, { reason, where }: Denied): string {
  if (reason === 'implicit-deny') return `because no ${where} policy allows the ${action} action`
  return `with an explicit deny in ${where === 'identity-based' ? 'an' : 'a'} ${where} policy`
}

/** S3 puts the ARN in quotes, CloudTrail leaves it out where there is none. */
function place(request: AccessRequest): string {
  const { action, resource } = request
  if (isForeign(request)) return ' on this resource'
  if (resource === null) return action.startsWith('cloudtrail:') ? '' : ' on resource: *'
  return ` on resource: ${action.startsWith('s3:') ? `"${resource.arn}"` : resource.arn}`
}

const isForeign = ({ caller, resource }: AccessRequest): boolean =>
  resource !== null && resource.account !== caller.account
