import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { wholeNumber } from '../input/numbers.ts'
import { confirm } from '../input/terminal.ts'
import { details } from '../output/view.ts'

interface BreakGlassOptions {
  readonly operation: readonly string[]
  readonly reason: string
  readonly duration?: number
}

interface Granted {
  readonly GrantId: string
  readonly EndDate: Date
}

/** `keyhold tenant break-glass` */
export function breakGlassVerb(parent: Command): void {
  const command = verb(parent, 'break-glass <key-arn>', {
    about: 'Use a key of a tenant in an emergency, for a while; the tenant sees that, and why',
    examples: [
      'tenant break-glass arn:aws:kms:us-east-1:111122223333:key/mrk-1 --operation Decrypt --reason "incident 42"',
    ],
  })
    .requiredOption('--operation <name...>', 'what for: Decrypt')
    .requiredOption('--reason <text>', 'why; it is in the audit trail of the tenant')
    .option('--duration <seconds>', 'for how long', wholeNumber(60, 14_400))
  runs<BreakGlassOptions>(command, async (session, options, KeyArn = '') => {
    const { operation, reason: Reason, duration: DurationSeconds } = options
    await confirm(`Let yourself ${operation.join(', ')} with ${KeyArn}?`, session.flags)
    const input = { KeyArn, Operations: operation, Reason, DurationSeconds }
    const answer = await session.keyhold<Granted>('CreateBreakGlassGrant', input)
    return { json: answer, view: details({ 'Grant id': answer.GrantId, Ends: answer.EndDate }) }
  })
}
