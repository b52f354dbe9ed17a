import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const common = { pool: 'threads', testTimeout: 20_000, hookTimeout: 30_000 } as const

export default defineConfig({
  test: {
    // Much of what the tests do is waiting, for processes that start and clocks that move on.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      { test: { ...common, name: 'rooms', include: ['test/shared/**/*.test.ts'] } },
      {
        test: {
          ...common,
          name: 'stack',
          include: ['test/{cli,functions,infra,bench,isolation}/**/*.test.ts'],
          globalSetup: ['test/support/global-stack.ts'],
        },
      },
    ],
  },
})
