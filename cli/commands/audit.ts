import { setTimeout } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { runs, verb } from '../command.ts'
import { pastTime, wholeNumber } from '../input/numbers.ts'
import { jsonLine } from '../output/json.ts'
import { visible } from '../output/render.ts'
import { cellText, table } from '../output/view.ts'
import { WrongUsage } from '../problem.ts'
import type { Session } from '../session.ts'

/** As CloudTrail's LookupEvents shows an event. */
interface Event {
  readonly EventId: string
  readonly EventName: string
  readonly EventTime: Date
  readonly EventSource: string
  readonly Username?: string
  readonly AccessKeyId?: string
  readonly Resources?: readonly { readonly ResourceName: string }[]
  /** The whole record, as JSON. */
  readonly CloudTrailEvent: string
}

interface LookupOptions {
  readonly since?: Date
  readonly until?: Date
  readonly key?: string
  readonly user?: string
  readonly event?: string
  readonly eventId?: string
  readonly accessKey?: string
  readonly limit: number
  readonly follow?: boolean
}

const FOLLOW_EVERY_MS = 2000
/** A record is there a moment after its event, so a little of the past is looked at again. */
const LATE_MS = 30_000

/** `keyhold audit …` */
export function auditVerbs(parent: Command): void {
  const command = verb(parent, 'lookup', {
    about: 'Look up what was done in your account and Region, newest first',
    examples: [
      'audit lookup --since 2h --event Decrypt',
      'audit lookup --key alias/payments --user alice --limit 200',
      'audit lookup --follow --json | jq .EventName',
    ],
  })
    .option('--since <time>', 'not before: 90s, 15m, 2h, 7d, 1w ago, or a date', pastTime)
    .option('--until <time>', 'not after', pastTime)
    .option('--key <key>', 'that used this key: its id, ARN or alias')
    .option('--user <name>', 'done by this user, or session of a role')
    .option('--event <name>', 'of this operation: Decrypt')
    .option('--event-id <id>', 'with this id')
    .option('--access-key <id>', 'signed with this access key')
    .addOption(limitOption())
    .option('--follow', 'go on with what happens from now on, until Ctrl+C')
  runs<LookupOptions>(command, async (session, options) => {
    if (options.follow && options.until !== undefined) {
      throw new WrongUsage('--follow goes on for ever, so --until says nothing.')
    }
    const question = await questionOf(session, options)
    if (options.follow) return follow(session, options, question)
    const { Events, more } = await some(session, options, question)
    const listing = table(Events, COLUMNS, 'There are no such events.')
    const rest = `There are more; --limit shows up to another number than ${options.limit}.`
    return { json: { Events }, view: more ? [listing, rest] : listing }
  })
}

const limitOption = (): Option =>
  new Option('--limit <count>', 'how many at most').argParser(wholeNumber(1)).default(50)

const COLUMNS = {
  Time: (event: Event) => event.EventTime,
  Event: (event: Event) => event.EventName,
  User: (event: Event) => event.Username,
  Result: (event: Event) => resultOf(event),
  Resources: (event: Event) => resourcesOf(event),
  'Event id': (event: Event) => event.EventId,
}

function resultOf({ CloudTrailEvent }: Event): string {
  const { errorCode } = JSON.parse(CloudTrailEvent) as { readonly errorCode?: string }
  return errorCode ?? 'ok'
}

const resourcesOf = ({ Resources = [] }: Event): string =>
  Resources.map(({ ResourceName }) => ResourceName.replace(/^arn:aws:[^:]*:[^:]*:[^:]*:/, '')).join(
    ', ',
  )

/** The service filters by one attribute; what is asked for beside it is filtered here. */
interface Question {
  readonly input: object
  matches(event: Event): boolean
}

async function questionOf(session: Session, options: LookupOptions): Promise<Question> {
  const wanted = {
    EventId: options.eventId,
    ResourceName: options.key === undefined ? undefined : await keyArn(session, options.key),
    AccessKeyId: options.accessKey,
    Username: options.user,
    EventName: options.event,
  }
  const attributes = Object.entries(wanted).flatMap(([AttributeKey, AttributeValue]) =>
    AttributeValue === undefined ? [] : [{ AttributeKey, AttributeValue }],
  )
  const input = {
    ...(attributes.length === 0 ? {} : { LookupAttributes: attributes.slice(0, 1) }),
    StartTime: options.since,
    EndTime: options.until,
  }
  return {
    input,
    matches: (event) =>
      (wanted.ResourceName === undefined ||
        (event.Resources ?? []).some(({ ResourceName }) => ResourceName === wanted.ResourceName)) &&
      (['EventId', 'AccessKeyId', 'Username', 'EventName'] as const).every(
        (name) => wanted[name] === undefined || event[name] === wanted[name],
      ),
  }
}

/** Events name keys by their ARN. */
async function keyArn(session: Session, key: string): Promise<string> {
  if (/^arn:[^:]*:kms:[^:]*:[^:]*:key\//.test(key)) return key
  const { describe } = await import('./key-name.ts')
  const { Arn = key } = await describe(session, key)
  return Arn
}

async function some(session: Session, { limit }: LookupOptions, question: Question) {
  const Events: Event[] = []
  for await (const page of session.events<Event>(question.input)) {
    Events.push(...page.filter(question.matches))
    session.progress.tell(`${Events.length} events so far`)
    if (Events.length > limit) break
  }
  return { Events: Events.slice(0, limit), more: Events.length > limit }
}

/** Prints what there is, oldest first, and then what comes. It ends with the process. */
async function follow(
  session: Session,
  options: LookupOptions,
  question: Question,
): Promise<never> {
  const told = new Map<string, number>()
  let since = options.since ?? new Date()
  for (;;) {
    const found: Event[] = []
    for await (const page of session.events<Event>({ ...question.input, StartTime: since })) {
      found.push(...page.filter((event) => question.matches(event) && !told.has(event.EventId)))
    }
    for (const event of found.reverse()) {
      told.set(event.EventId, event.EventTime.getTime())
      process.stdout.write(session.flags.json ? jsonLine(event) : `${lineOf(event)}\n`)
    }
    since = new Date(Math.max(since.getTime(), Date.now() - LATE_MS))
    for (const [id, time] of told) if (time < since.getTime() - LATE_MS) told.delete(id)
    await setTimeout(FOLLOW_EVERY_MS)
  }
}

const lineOf = (event: Event): string =>
  visible(
    Object.values(COLUMNS)
      .map((cell) => cellText(cell(event)) || '-')
      .join('  '),
  )
