/** Dates as people write them. `Date.parse` takes 30 February for 2 March. */

/** @param text - begins with a day such as 2027-01-31. @returns whether there is such a day */
export function isInCalendar(text: string): boolean {
  const day = text.slice(0, 10)
  const time = Date.parse(day)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day)
}
