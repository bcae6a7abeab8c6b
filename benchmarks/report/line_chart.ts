import { colour, legend, line, niceMaximum, picture, short, text } from "./svg.ts";

/** Lines over one axis. */
export interface LineChart {
  title: string;
  lines: readonly { name: string; points: readonly (readonly [x: number, y: number])[] }[];
}

const WIDTH = 860;
const HEIGHT = 320;
const LEFT = 60;
const RIGHT = 20;
const TOP = 64;
const BOTTOM = 30;
const STEPS = 4;

/** Draws it; the lower end of the upright axis is zero, so that what looks flat is flat. */
export function lineChart({ title, lines }: LineChart): string {
  const known = lines.map(({ name, points }) => ({
    name,
    points: points.filter(([, y]) => Number.isFinite(y)),
  }));
  const all = known.flatMap(({ points }) => points);
  const maximum = { x: Math.max(...all.map(([x]) => x)), y: 0 };
  maximum.y = niceMaximum(Math.max(...all.map(([, y]) => y)));
  const x = (value: number) => LEFT + (WIDTH - LEFT - RIGHT) * value / maximum.x;
  const y = (value: number) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / maximum.y;
  const parts = [
    text(16, 26, title, { size: 15, bold: true }),
    ...legend(16, 50, known.map(({ name }) => name)),
  ];
  for (let step = 0; step <= STEPS; step++) {
    const height = maximum.y * step / STEPS;
    const across = maximum.x * step / STEPS;
    parts.push(line(LEFT, y(height), WIDTH - RIGHT, y(height), "#ddd"));
    parts.push(text(LEFT - 8, y(height) + 4, short(height), { anchor: "end", size: 11 }));
    parts.push(text(x(across), HEIGHT - 10, short(across), { anchor: "middle", size: 11 }));
  }
  known.forEach(({ points }, i) => {
    const path = points.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
    parts.push(
      `<polyline points="${path.join(" ")}" fill="none" stroke="${colour(i)}" stroke-width="1.5"/>`,
    );
  });
  return picture(WIDTH, HEIGHT, parts);
}
