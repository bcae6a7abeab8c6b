import type { SeriesFold } from "../../contracts/records.ts";
import type { EventFilter } from "../../protocol/event.ts";
import { compileFilter, matchesEverything } from "../../domain/filter.ts";

/** The part of a series' events that a filter matches. */
export type Coverage = "all" | "some" | "none";

/** Compiles a filter into a function that returns its coverage of a series; `some` if that is unknown. */
export function compileCoverage(filter: EventFilter): (fold: SeriesFold) => Coverage {
  if (matchesEverything(filter)) return () => "all";
  const matches = compileFilter(filter);
  return ({ eventKinds: kinds }) => {
    if (kinds === null) return "some";
    const matching = kinds.filter(matches).length;
    return matching === kinds.length ? "all" : matching === 0 ? "none" : "some";
  };
}
