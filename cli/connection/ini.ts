/**
 * The files `~/.aws/credentials` and `~/.aws/config`: sections of `name = value` lines (AWS SDKs and
 * Tools reference guide, "Shared config and credentials files"). Indented lines belong to the value
 * above them; no value that is read here has such.
 */

export type Section = Readonly<Record<string, string>>

const HEADING = /^\s*\[([^\]]*)\]\s*(?:[#;].*)?$/
const COMMENT = /^\s*[#;]/
const SETTING = /^([^\s=][^=]*?)\s*=\s*(.*?)\s*$/

/** @returns the sections by their names; one that appears twice is merged, later values win */
export function parseIni(text: string): ReadonlyMap<string, Section> {
  const sections = new Map<string, Record<string, string>>()
  let current: Record<string, string> | null = null
  for (const line of text.split(/\r?\n/)) {
    if (COMMENT.test(line)) continue
    const name = headingOf(line)
    if (name !== null) {
      current = sections.get(name) ?? {}
      sections.set(name, current)
    }
    const [, key = '', value = ''] = SETTING.exec(line) ?? []
    if (current !== null && name === null && key !== '') {
      current[key.toLowerCase()] = value.replace(/\s+[#;].*$/, '')
    }
  }
  return sections
}

/**
 * @returns the text with the section set to these values: what it had of other names stays, as do all
 *   other lines; a section that is not there comes at the end
 */
export function withSection(text: string, name: string, values: Section): string {
  const lines = text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/)
  const settings = Object.entries(values).map(([key, value]) => `${key} = ${value}`)
  const at = lines.findIndex((line) => headingOf(line) === name)
  if (at === -1) {
    const gap = lines.length === 0 || lines.at(-1) === '' ? [] : ['']
    return `${[...lines, ...gap, `[${name}]`, ...settings].join('\n')}\n`
  }
  const next = lines.findIndex((line, index) => index > at && headingOf(line) !== null)
  const end = next === -1 ? lines.length : next
  const kept = lines.slice(at + 1, end).filter((line) => !sets(line, values))
  return `${[...lines.slice(0, at + 1), ...settings, ...kept, ...lines.slice(end)].join('\n')}\n`
}

function headingOf(line: string): string | null {
  const name = HEADING.exec(line)?.[1]
  return name === undefined ? null : name.trim().replace(/\s+/g, ' ')
}

const sets = (line: string, values: Section): boolean =>
  Object.hasOwn(values, (SETTING.exec(line)?.[1] ?? '').toLowerCase())
