import { JsonError } from '../errors.ts'

/** The error that says that a dry run found nothing to object to (AWS KMS API reference, "DryRun"). */
export const dryRunSucceeded = (): JsonError =>
  new JsonError(
    'DryRunOperationException',
    'The request would have succeeded, but the DryRun option is set.',
  )
