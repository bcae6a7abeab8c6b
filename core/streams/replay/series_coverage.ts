import type { SeriesFold } from "../../contracts/records.ts";
import type { EventFilter } from "../../protocol/event.ts";
import { compileFilter, matchesEverything } from "../../domain/filter.ts";

/** How many of a series' events a filter takes. */
export type Coverage = "all" | "some" | "none";

/** Tells by a fold how many of its series' events a filter takes: `some` where that cannot be told. */
export function compileCoverage(filter: EventFilter): (fold: SeriesFold) => Coverage {
  if (matchesEverything(filter)) return () => "all";
  const matches = compileFilter(filter);
  return ({ classes }) => {
    if (classes === null) return "some";
    const matching = classes.filter(matches).length;
    return matching === classes.length ? "all" : matching === 0 ? "none" : "some";
  };
}
