/** Questions to the person at the terminal. They go to standard error, so that output stays data. */
import { createInterface, type Interface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Failure, WrongUsage } from '../problem.ts'

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
  const answer = await ask(`${what} [y/N] `)
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new Failure('Nothing was done.')
}

/** @returns the line that was typed */
export async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await answered(lines, question)
  } finally {
    lines.close()
  }
}

/** The same for a secret: what is typed does not show. */
export async function askSecret(question: string): Promise<string> {
  process.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  try {
    return await answered(lines, '')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}

/** Ctrl+C and the end of the input close the lines, which is an answer too. */
function answered(lines: Interface, question: string): Promise<string> {
  const closed = new Promise<never>((_resolve, reject) => {
    lines.once('close', () => reject(new Failure('Nothing was done.')))
  })
  return Promise.race([lines.question(question), closed])
}
