import { tagViews } from '../../shared/pipeline/principal-members.ts'
import type { PrincipalRecord } from '../../shared/store/records.ts'
import { principalArn } from '../../shared/tenants/principal.ts'

/** A user or role as IAM shows it. Dates are seconds since the epoch. */
export function principalView(principal: PrincipalRecord): Readonly<Record<string, unknown>> {
  const { kind, name, path, principalId, createdAt, boundary, tags } = principal
  return {
    Path: path,
    [`${kind}Name`]: name,
    [`${kind}Id`]: principalId,
    Arn: principalArn(principal),
    CreateDate: createdAt / 1000,
    ...(boundary === null
      ? {}
      : {
          PermissionsBoundary: {
            PermissionsBoundaryType: 'Policy',
            PermissionsBoundaryArn: boundary,
          },
        }),
    ...(tags.length === 0 ? {} : { Tags: tagViews(tags) }),
    ...(principal.kind === 'User'
      ? {}
      : {
          AssumeRolePolicyDocument: principal.trustPolicy,
          Description: principal.description,
          MaxSessionDuration: principal.maxSessionSeconds,
        }),
  }
}
