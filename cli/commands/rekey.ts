import { setTimeout } from 'node:timers/promises'
import type { Command } from 'commander'
import { print, runs, verb } from '../command.ts'
import { barText, bytesText, countText } from '../output/amounts.ts'
import { type Answer, details, table, type View } from '../output/view.ts'
import { Failure, Refusal } from '../problem.ts'
import type { Session } from '../session.ts'

interface Scope {
  readonly Bucket?: string | undefined
  readonly KeyId?: string | undefined
  readonly TargetKeyId?: string | undefined
}

interface Page {
  readonly IsTruncated: boolean
  readonly Marker?: string
}

interface Verification extends Page {
  readonly Checked: number
  readonly Current: number
  readonly Remaining: number
  readonly RemainingBytes: number
  readonly RemainingUploads: number
  readonly CustomerKeys: number
  readonly Complete?: boolean
  readonly RequestId: string
}

interface FailedObject {
  readonly Bucket: string
  readonly Key: string
  readonly Code: string
  readonly Message: string
}

interface Run extends Page {
  readonly Rewrapped: number
  readonly RewrappedBytes: number
  readonly RewrappedUploads: number
  readonly Changed: number
  readonly Failed: number
  readonly Failures: readonly FailedObject[]
}

interface Options {
  readonly targetKey?: string
  readonly check?: boolean
}

/** `keyhold rekey …` */
export function rekeyVerbs(parent: Command): void {
  ofBucket(parent)
  ofKey(parent)
}

const withOptions = (command: Command): Command =>
  command
    .option('--target-key <key>', 'take what is under KMS keys to this one')
    .option('--check', 'only say what is to be done')

function ofBucket(parent: Command): void {
  const command = verb(parent, 'bucket <name>', {
    about: 'Wrap the keys of all objects of a bucket anew; no data moves',
    examples: ['rekey bucket reports', 'rekey bucket reports --target-key alias/reports-2027'],
  })
  runs<Options>(withOptions(command), (session, options, Bucket) =>
    rekey(session, { Bucket, TargetKeyId: options.targetKey }, options),
  )
}

function ofKey(parent: Command): void {
  const command = verb(parent, 'key <key>', {
    about:
      'Wrap the keys of all objects under a KMS key anew, or take them to another; no data moves',
    examples: [
      'rekey key alias/payments --check',
      'rekey key alias/payments --target-key alias/payments-2027',
    ],
  })
  runs<Options>(withOptions(command), (session, options, KeyId) =>
    rekey(session, { KeyId, TargetKeyId: options.targetKey }, options),
  )
}

/** Objects may be written while the others are done; after this many rounds it is told what remains. */
const ROUNDS = 3

async function rekey(session: Session, scope: Scope, { check }: Options): Promise<Answer | null> {
  let proof = await verify(session, scope)
  if (check || proof.Complete) return { json: { Verification: proof }, view: proofView(proof) }
  const runsDone: Run[] = []
  for (let round = 1; round <= ROUNDS && !proof.Complete; round++) {
    const run = await rewrap(session, scope, proof.Remaining)
    runsDone.push(run)
    proof = await verify(session, scope)
    if (run.Failed > 0) break
  }
  session.progress.end()
  const answer = answerOf(runsDone, proof)
  if (proof.Complete) return answer
  await print(answer, session.flags)
  throw new Failure(
    `${countText(proof.Remaining, 'object')} and ${countText(proof.RemainingUploads, 'upload')} remain. Run it again when what keeps them is removed`,
  )
}

async function verify(session: Session, scope: Scope): Promise<Verification> {
  let last: Verification | undefined
  for await (const page of pagesOf<Verification>(session, 'VerifyRekey', scope)) {
    session.progress.tell(`${countText(page.Checked, 'object')} checked`)
    last = page
  }
  if (last === undefined) throw new TypeError('There is always a page.')
  return last
}

async function rewrap(session: Session, scope: Scope, total: number): Promise<Run> {
  let last: Run | undefined
  const Failures: FailedObject[] = []
  for await (const page of pagesOf<Run>(session, 'RekeyObjects', scope)) {
    session.progress.tell(barText(page.Rewrapped + page.Failed + page.Changed, total, 'object'))
    Failures.push(...page.Failures)
    last = page
  }
  if (last === undefined) throw new TypeError('There is always a page.')
  return { ...last, Failures }
}

/** Small enough that the bar moves, and that little is done twice when a call fails. */
const PAGE_ITEMS = 200

async function* pagesOf<Each extends Page>(
  session: Session,
  operation: string,
  scope: Scope,
): AsyncGenerator<Each> {
  const MaxItems = operation === 'RekeyObjects' ? PAGE_ITEMS : undefined
  for (let Marker: string | undefined, more = true; more; ) {
    const page: Each = await patiently(() =>
      session.keyhold<Each>(operation, { ...scope, MaxItems, Marker }),
    )
    yield page
    more = page.IsTruncated
    Marker = page.Marker
  }
}

const PASSING: ReadonlySet<string> = new Set(['ThrottlingException', 'ServiceUnavailableException'])
const ATTEMPTS = 8
const FIRST_PAUSE_MS = 250

/** What is done already needs nothing when it is asked for again. */
async function patiently<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      const passes = error instanceof Refusal && PASSING.has(error.code)
      if (!passes || attempt === ATTEMPTS) throw error
      await setTimeout(FIRST_PAUSE_MS * 2 ** (attempt - 1))
    }
  }
}

function answerOf(done: readonly Run[], Verification: Verification): Answer {
  const sum = (of: (run: Run) => number): number => done.reduce((all, run) => all + of(run), 0)
  const Failures = done.at(-1)?.Failures ?? []
  const totals = {
    Rewrapped: sum((run) => run.Rewrapped),
    RewrappedBytes: sum((run) => run.RewrappedBytes),
    RewrappedUploads: sum((run) => run.RewrappedUploads),
  }
  const views: View[] = [
    details({
      Rewrapped: `${countText(totals.Rewrapped, 'object')} (${bytesText(totals.RewrappedBytes)} that stay where they are)`,
      'Uploads under way': totals.RewrappedUploads || null,
      Failed: Failures.length || null,
    }),
    proofView(Verification),
  ]
  if (Failures.length > 0) views.push(table(Failures, FAILURE_COLUMNS, ''))
  return { json: { ...totals, Failures, Verification }, view: views }
}

const proofView = (proof: Verification) =>
  details({
    Checked: countText(proof.Checked, 'object'),
    'With the newest keys': proof.Current,
    Remaining: `${countText(proof.Remaining, 'object')} (${bytesText(proof.RemainingBytes)})`,
    'Remaining uploads': proof.RemainingUploads || null,
    'Under keys of their writers': proof.CustomerKeys || null,
    'In the audit trail as': proof.RequestId,
  })

const FAILURE_COLUMNS = {
  Object: (failure: FailedObject) => `${failure.Bucket}/${failure.Key}`,
  Reason: (failure: FailedObject) => failure.Code,
  Message: (failure: FailedObject) => failure.Message,
}
