/** What the API of principals answers, as far as people are shown it (AWS IAM API reference). */

export interface Tag {
  readonly Key: string
  readonly Value: string
}

/** Users and roles have these in common. */
export interface Principal {
  readonly Path: string
  readonly Arn: string
  readonly CreateDate: Date
  readonly PermissionsBoundary?: { readonly PermissionsBoundaryArn: string }
  readonly Tags?: readonly Tag[]
}

export interface User extends Principal {
  readonly UserName: string
  readonly UserId: string
}

export interface Role extends Principal {
  readonly RoleName: string
  readonly RoleId: string
  readonly Description?: string
  readonly MaxSessionDuration?: number
  readonly AssumeRolePolicyDocument?: string
}

export interface ManagedPolicy {
  readonly PolicyName: string
  readonly PolicyId: string
  readonly Arn: string
  readonly Path: string
  readonly DefaultVersionId: string
  readonly AttachmentCount?: number
  readonly Description?: string
  readonly CreateDate: Date
  readonly UpdateDate?: Date
  readonly Tags?: readonly Tag[]
}

export interface PolicyVersion {
  readonly VersionId: string
  readonly IsDefaultVersion: boolean
  readonly CreateDate: Date
  readonly Document?: string
}

export interface AttachedPolicy {
  readonly PolicyName: string
  readonly PolicyArn: string
}

export interface AccessKeyMetadata {
  readonly UserName: string
  readonly AccessKeyId: string
  readonly Status: 'Active' | 'Inactive'
  readonly CreateDate: Date
}

export const tagText = (tags: readonly Tag[] = []): string =>
  tags.map(({ Key, Value }) => `${Key}=${Value}`).join(', ')

/** @returns a policy as it was written, or, where the API percent-encodes policies, as it is meant */
export function policyText(document: string): string {
  const text = /^\s*[{[]/.test(document) ? document : decodeURIComponent(document)
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
