/** Policies come from files or from standard input, since they are long and quoted badly by shells. */
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { Failure } from '../problem.ts'

/**
 * @param path - of a file; `-` is standard input
 * @returns what it holds, as it is: the service says what is wrong with a policy, and counts its size
 * @throws Failure when it cannot be read, or is no JSON
 */
export async function readPolicy(path: string): Promise<string> {
  const policy = await read(path)
  try {
    JSON.parse(policy)
  } catch (error) {
    const name = path === '-' ? 'Standard input' : path
    throw new Failure(`${name} is no JSON: ${(error as Error).message}.`)
  }
  return policy
}

async function read(path: string): Promise<string> {
  if (path === '-') return await text(process.stdin)
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}.`)
  }
}
