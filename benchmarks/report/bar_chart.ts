import { colour, legend, line, niceMaximum, picture, rect, short, text } from "./svg.ts";

/** Bars that lie, in groups one below the other. */
export interface BarChart {
  title: string;
  groups: readonly {
    name: string;
    /** One for each series. */
    bars: readonly number[];
    /** A line across the group's bars. */
    mark?: number;
  }[];
  /** What the bars of a group stand for. */
  series: readonly string[];
}

const LEFT = 330;
const WIDTH = 860;
const TOP = 64;
const BAR = 14;
const GAP = 12;
const RIGHT = 70;

/** Draws it. */
export function barChart({ title, groups, series }: BarChart): string {
  const most = groups.flatMap(({ bars, mark = 0 }) => [...bars, mark]);
  const maximum = niceMaximum(Math.max(...most));
  const x = (value: number) => LEFT + (WIDTH - LEFT - RIGHT) * value / maximum;
  const parts = [text(16, 26, title, { size: 15, bold: true }), ...legend(16, 50, series)];
  let y = TOP;
  for (const { name, bars, mark } of groups) {
    const height = BAR * bars.length;
    parts.push(text(LEFT - 10, y + height / 2 + 4, name, { anchor: "end" }));
    bars.forEach((value, i) => {
      const at = y + BAR * i;
      parts.push(rect(LEFT, at, x(value) - LEFT, BAR - 2, colour(i)));
      parts.push(text(x(value) + 5, at + 10, short(value), { size: 11 }));
    });
    if (mark !== undefined) parts.push(line(x(mark), y - 3, x(mark), y + height + 1, "#c0392b"));
    y += height + GAP;
  }
  parts.push(line(LEFT, TOP - 4, LEFT, y - GAP + 4, "#222"));
  return picture(WIDTH, y + 4, parts);
}
