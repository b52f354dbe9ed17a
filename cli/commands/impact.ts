import type { Command } from 'commander'
import { runs } from '../command.ts'
import { impactAnswer, impactOf } from './key-impact.ts'

const ABOUT = `
Counts the objects of the account's buckets, and the uploads under way, that nobody can read any more
when the key is deleted or disabled. What others encrypted with KMS and keep themselves is not known
here: when the key was last used, its grants, and whom of other accounts its policy names tell of it.

Examples:
  $ keyhold impact alias/payments
  $ keyhold impact alias/payments --all --json`

const NAMED_OBJECTS = 20

/** `keyhold impact` */
export function impact(command: Command): void {
  command
    .argument('<key>', 'its id, ARN or alias')
    .addHelpText('after', ABOUT)
    .option('--all', `name all objects, not only the first ${NAMED_OBJECTS}`)
  runs<{ readonly all?: boolean }>(command, async (session, { all }, key = '') =>
    impactAnswer(await impactOf(session, key, all ? Number.POSITIVE_INFINITY : NAMED_OBJECTS)),
  )
}
