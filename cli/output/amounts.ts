/** Numbers as people read them. */

const NUMBER = new Intl.NumberFormat('en-US')
const ROUNDED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })
const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const
const STEP = 1024
const BAR_WIDTH = 20

/** @returns `1,234 objects`, `1 object` */
export const countText = (count: number, thing: string): string =>
  `${NUMBER.format(count)} ${thing}${count === 1 ? '' : 's'}`

/** @returns `512 bytes`, `69.3 KiB` */
export function bytesText(bytes: number): string {
  if (bytes < STEP) return countText(bytes, 'byte')
  let [amount, unit] = [bytes / STEP, 0]
  while (ROUNDED.format(amount) === ROUNDED.format(STEP) || amount >= STEP) {
    if (unit === UNITS.length - 1) break
    amount /= STEP
    unit += 1
  }
  return `${ROUNDED.format(amount)} ${UNITS[unit]}`
}

/** @returns a bar of fixed width and what it stands for: `[█████░░░░░] 50 % of 1,234 objects` */
export const barText = (done: number, total: number, thing: string): string =>
  `${bar(done, total)} of ${countText(total, thing)}`

/** @returns the same for bytes; without a total, only how many have gone */
export const transferText = (gone: number, total: number | null): string =>
  total === null ? bytesText(gone) : `${bar(gone, total)} of ${bytesText(total)}`

function bar(done: number, total: number): string {
  const part = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.floor(part * BAR_WIDTH)
  const drawn = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
  return `[${drawn}] ${Math.floor(part * 100)} %`
}
