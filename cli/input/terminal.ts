/** Questions to the person at the terminal. They go to standard error, so that output stays data. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { Failure, WrongUsage } from '../problem.ts'

export interface Question {
  readonly text: string
  /** What is typed does not show. */
  readonly secret?: boolean
}

/** @returns whether there is somebody who can answer */
export const isAttended = (): boolean =>
  process.stdin.isTTY === true && process.stderr.isTTY === true

/**
 * Asks before something that cannot be undone, or that hurts while it lasts.
 * @param what - a whole question: `Delete the user alice?`
 * @throws WrongUsage when nobody is there to answer and `yes` was not given, Failure for a no
 */
export async function confirm(what: string, { yes }: { readonly yes?: boolean }): Promise<void> {
  if (yes === true) return
  if (!isAttended()) throw new WrongUsage(`${what} Nobody is here to answer: give --yes.`)
  const [answer = ''] = await askAll([{ text: `${what} [y/N] ` }])
  if (!/^y(?:es)?$/i.test(answer)) throw new Failure('Nothing was done.')
}

/**
 * Asks one question after the other. The terminal is never left to echo by itself in between, so that
 * a secret does not show when it is typed early, or pasted together with what comes before it.
 * @returns the answers without the space around them
 * @throws Failure when the input ends, as it does by Ctrl+C
 */
export function askAll(questions: readonly Question[]): Promise<readonly string[]> {
  let muted = false
  const output = new Writable({
    write(chunk, _encoding, done) {
      if (!muted) process.stderr.write(chunk)
      done()
    },
  })
  const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 })
  const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>()
  lines.once('close', () => reject(new Failure('Nothing was done.')))
  const answers: string[] = []
  const next = (): void => {
    const question = questions[answers.length]
    if (question === undefined) {
      resolve(answers)
      lines.close()
      return
    }
    muted = false
    lines.question(question.text, (answer) => {
      if (muted) process.stderr.write('\n')
      answers.push(answer.trim())
      next()
    })
    muted = question.secret === true
  }
  next()
  return promise
}
