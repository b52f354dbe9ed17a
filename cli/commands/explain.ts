import type { Command } from 'commander'
import { runs } from '../command.ts'
import { pastTime } from '../input/numbers.ts'
import { type Pairs, pair } from '../input/pairs.ts'
import type { Answer, View } from '../output/view.ts'
import { details } from '../output/view.ts'
import { isRefusal, WrongUsage } from '../problem.ts'
import type { Session } from '../session.ts'
import { actionName } from './action-name.ts'
import { type Explanation, explanationView } from './explanation.ts'
import { ownArn } from './own-arn.ts'

const ABOUT = `
Explains a call that was made, by its request id or event id, or one that could be made. Answers come
from the policies and grants as they are now, to whoever may read the key's policy.

Examples:
  $ keyhold explain 8d6c4f0e-6f5b-4f0a-9d0e-2f6c0f6a1b2c
  $ keyhold explain --as alice --action kms:Decrypt --key alias/payments --context team=payments
  $ keyhold explain --as arn:aws:iam::111122223333:role/ci --action Sign --key alias/releases`

interface ExplainOptions {
  readonly since?: Date
  readonly as?: string
  readonly action?: string
  readonly key?: string
  readonly context?: Pairs
  readonly condition?: Pairs
}

/** `keyhold explain` */
export function explain(command: Command): void {
  command
    .argument('[request-id]', 'request id or event id of a call')
    .addHelpText('after', ABOUT)
    .option('--since <time>', 'look for it no further back: 2h, 7d, or a date', pastTime)
    .option('--as <principal>', "who would call: an ARN, or the name of a user of one's account")
    .option('--action <action>', 'what for: kms:Decrypt')
    .option('--key <key>', 'with which key: its id, ARN or alias')
    .option('--context <name=value>', 'pair of the encryption context; several can be given', pair)
    .option('--condition <key=value>', 'value of a condition key; several can be given', pair)
  runs<ExplainOptions>(command, async (session, options, id) => {
    const { as, action, key } = options
    const supposed = [as, action, key].filter((each) => each !== undefined).length
    if (id !== undefined && supposed === 0) return past(session, id, options.since)
    if (id === undefined && as !== undefined && action !== undefined && key !== undefined) {
      return hypothetical(session, { ...options, as, action, key })
    }
    throw new WrongUsage('Give either a request id, or --as, --action and --key.')
  })
}

interface PastCall {
  readonly Recorded: Readonly<
    Record<'EventId' | 'EventName' | 'EventTime' | 'PrincipalArn' | 'Outcome', string>
  > & { readonly ErrorCode?: string; readonly ErrorMessage?: string }
  readonly Explanations: readonly Explanation[]
  readonly Agrees: boolean
}

async function past(session: Session, id: string, Since: Date | undefined): Promise<Answer> {
  const ask = (name: 'RequestId' | 'EventId'): Promise<PastCall> =>
    session.keyhold<PastCall>('ExplainRequest', { [name]: id, Since })
  const answer = await ask('RequestId').catch((error: unknown) => {
    if (!isRefusal(error, 'NoSuchEntityException')) throw error
    return ask('EventId')
  })
  const { Recorded, Explanations, Agrees } = answer
  const then: View = details({
    Call: Recorded.EventName,
    By: Recorded.PrincipalArn,
    At: new Date(Recorded.EventTime),
    Then: [Recorded.Outcome, Recorded.ErrorCode].filter(Boolean).join(', '),
  })
  const since = 'The policies or grants changed since: now it would be decided otherwise.'
  return {
    json: answer,
    view: [then, ...Explanations.map(explanationView), ...(Agrees ? [] : [since])].flat(),
  }
}

async function hypothetical(
  session: Session,
  options: ExplainOptions & Readonly<Record<'as' | 'action' | 'key', string>>,
): Promise<Answer> {
  const { action, key, context, condition = {} } = options
  const answer = await session.keyhold<Explanation>('ExplainAccess', {
    PrincipalArn: await ownArn(session, 'user', options.as),
    Action: actionName(action),
    KeyId: key,
    EncryptionContext: context,
    Context: Object.entries(condition).map(([Key, value]) => ({ Key, Values: [value] })),
  })
  return { json: answer, view: explanationView(answer) }
}
