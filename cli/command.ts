/** What all commands have in common: how they are declared, run and answered. */
import type { Command } from 'commander'
import { jsonText } from './output/json.ts'
import type { Answer } from './output/view.ts'
import { type Flags, openSession, type Session } from './session.ts'

/**
 * A command below `parent`.
 * @param usage - its name and arguments: `show <user-name>`
 * @param help - a sentence, and examples of it without the program's name
 */
export function verb(
  parent: Command,
  usage: string,
  help: { readonly about: string; readonly examples?: readonly string[] },
): Command {
  const command = parent.command(usage).description(help.about)
  const { examples = [] } = help
  return examples.length === 0 ? command : command.addHelpText('after', exampleText(examples))
}

const exampleText = (examples: readonly string[]): string =>
  `\nExamples:\n${examples.map((each) => `  $ keyhold ${each}`).join('\n')}`

/**
 * Gives a command its action.
 * @param run - gets the options and the arguments that were given; what it returns is printed, and
 *   `null` when it has printed already
 */
export function runs<Options>(
  command: Command,
  run: (session: Session, options: Options, ...args: string[]) => Promise<Answer | null>,
): void {
  command.action(async () => {
    const usual = command.parent?.name() === 'tenant' ? 'operator' : 'administrator'
    const session = openSession(command.optsWithGlobals<Flags>(), usual)
    try {
      const answer = await run(session, command.opts<Options & object>(), ...command.args)
      session.progress.end()
      if (answer !== null) await print(answer, session.flags)
    } finally {
      session.progress.end()
    }
  })
}

/** Writes an answer to standard output. */
export async function print({ json, view }: Answer, { json: asJson }: Flags): Promise<void> {
  if (asJson === true) {
    process.stdout.write(jsonText(json))
    return
  }
  const { render } = await import('./output/render.ts')
  process.stdout.write(render(view, { bold: isColourful() }))
}

/** no-color.org: any value that is not empty. */
const isColourful = (): boolean => process.stdout.isTTY === true && !process.env.NO_COLOR
