import type { Command } from 'commander'
import { runs } from '../command.ts'
import { details } from '../output/view.ts'

export interface CallerIdentity {
  readonly Account: string
  readonly Arn: string
  readonly UserId: string
}

/** `keyhold whoami` */
export function whoami(command: Command): void {
  runs(command, async (session) => {
    const identity = await session.sts<CallerIdentity>('GetCallerIdentity')
    const { Account, Arn, UserId } = identity
    const { endpoint, region, source } = session.connection()
    return {
      json: { Account, Arn, UserId, Endpoint: endpoint, Region: region },
      view: details({
        Account,
        ARN: Arn,
        'User id': UserId,
        Endpoint: endpoint,
        Region: region,
        'Credentials from': source,
      }),
    }
  })
}
