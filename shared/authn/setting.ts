/** Settings that are JSON lists, or the paths of files with one. */
import { readFileSync } from 'node:fs'

export type Json = Readonly<Record<string, unknown>>

/**
 * @param name - of the variable
 * @param setting - its value; may be empty
 * @returns the entries, not looked at
 * @throws RangeError with a sentence for whoever set it
 */
export function readSettingList(name: string, setting: string): readonly unknown[] {
  if (setting.trim() === '') return []
  const text = setting.trimStart().startsWith('[') ? setting : fileText(name, setting)
  const list = parsed(name, text)
  if (!Array.isArray(list)) throw new RangeError(`${name} must be a JSON list.`)
  return list
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function fileText(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new RangeError(`${name} names a file that cannot be read: ${path}.`, { cause })
  }
}

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RangeError(`${name} is not JSON.`, { cause })
  }
}
