/**
 * Does the same with many things, a few at once; after a failure none is begun any more.
 * @returns the results in the order of the things
 * @throws the first failure, when all that was begun has ended
 */
export async function inParallel<Thing, Result>(
  things: readonly Thing[],
  atOnce: number,
  act: (thing: Thing, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const failures: unknown[] = []
  const queue = things.entries()
  const work = async (): Promise<void> => {
    for (const [index, thing] of queue) {
      try {
        results[index] = await act(thing, index)
      } catch (error) {
        failures.push(error)
      }
      if (failures.length > 0) return
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, things.length) }, work))
  if (failures.length > 0) throw failures[0]
  return results
}
