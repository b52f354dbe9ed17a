/** Settings that the functions read from the environment themselves, so there are no flags for them. */
import { parseAwsCallers } from '../../shared/authn/aws-callers.ts'
import { parseIssuers } from '../../shared/authn/oidc-issuers.ts'
import { parseLogLevel } from '../../shared/lambda/log-level.ts'
import { parseS3Profile } from '../../shared/lambda/s3-profile.ts'
import { readSeconds } from '../../shared/lambda/seconds.ts'
import { parseRateDefaults } from '../../shared/pipeline/request-rates.ts'
import { StartProblem } from './start-problem.ts'

/** What `--help` says of them, by name. */
export const VARIABLES: Readonly<Record<string, string>> = {
  KEYHOLD_CACHE_SECONDS: 'how old a cached key, policy, alias or access key may be (5)',
  KEYHOLD_BUCKET_KEY_SECONDS: 'how long an S3 bucket key is used before KMS is asked again (300)',
  KEYHOLD_S3_PROFILE: 'aws or ceph: whom S3 follows where the two differ (aws)',
  KEYHOLD_ALLOW_INSECURE_SSE_C: 'true: takes keys of callers over plain HTTP as well (false)',
  KEYHOLD_SWEEP_AFTER_SECONDS:
    'how old bytes must be that nothing names to be cleared away (86400)',
  KEYHOLD_BLOB_GRACE_SECONDS: 'how long bytes of deleted objects are kept (60)',
  KEYHOLD_ATTESTATION_ROOT: 'file of the roots of attestation documents, in PEM',
  KEYHOLD_OIDC_ISSUERS: 'identity providers whose tokens are taken: JSON, or a file of it',
  KEYHOLD_AWS_CALLERS: 'callers of AWS and their roles: JSON, or a file of it',
  KEYHOLD_REQUEST_RATES: "aws: AWS's rates for each tenant; set: those that are set (set)",
  KEYHOLD_LOG_LEVEL: 'trace, debug, info, warn, error, fatal or silent (warn)',
}

/** @throws StartProblem naming the variable that is wrong */
export function requireGoodVariables(variables: NodeJS.ProcessEnv): void {
  try {
    readSeconds(variables, 'KEYHOLD_CACHE_SECONDS', 0)
    readSeconds(variables, 'KEYHOLD_BLOB_GRACE_SECONDS', 0)
    readSeconds(variables, 'KEYHOLD_BUCKET_KEY_SECONDS', 0)
    readSeconds(variables, 'KEYHOLD_SWEEP_AFTER_SECONDS', 0)
    parseS3Profile(variables.KEYHOLD_S3_PROFILE)
    parseIssuers(variables.KEYHOLD_OIDC_ISSUERS ?? '')
    parseAwsCallers(variables.KEYHOLD_AWS_CALLERS ?? '')
    parseRateDefaults(variables.KEYHOLD_REQUEST_RATES)
    parseLogLevel(variables.KEYHOLD_LOG_LEVEL)
  } catch (error) {
    throw error instanceof RangeError ? new StartProblem(error.message) : error
  }
}
