/** `npm run crash -- --runs 200`: see crash-runs.ts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { orSayUsage, readFlags } from '../../infra/usage.ts'
import { crashRuns } from './crash-runs.ts'

const { runs } = orSayUsage(() =>
  readFlags(
    process.argv.slice(2),
    { runs: { type: 'string', default: '20' } },
    'npm run crash -- [--runs 200]',
  ),
)
const folder = mkdtempSync(join(tmpdir(), 'keyhold-crash-'))
try {
  const report = await crashRuns(folder, Number(runs), (run) => {
    if (run % 10 === 0) console.log(`${run} runs`)
  })
  console.log(
    `crash: ${report.runs} runs, ${report.acknowledged} writes acknowledged, all there; ` +
      `${report.underWay} under way, of which ${report.tookEffect} took effect, the others nothing`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
