/** Colours that are told apart without colour vision, too, on light and dark ground. */
export const COLOURS: readonly string[] = ["#2a78b5", "#e08214", "#7f7f7f", "#5aa469"];

/** Escapes text for SVG. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

export interface TextOptions {
  size?: number;
  anchor?: "start" | "middle" | "end";
  bold?: boolean;
}

export function text(x: number, y: number, words: string, options: TextOptions = {}): string {
  const { size = 12, anchor = "start", bold = false } = options;
  return `<text x="${fixed(x)}" y="${fixed(y)}" font-size="${size}" text-anchor="${anchor}"` +
    `${bold ? ' font-weight="bold"' : ""}>${escaped(words)}</text>`;
}

export function rect(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}"` +
    ` fill="${fill}"/>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, stroke: string): string {
  return `<line x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}"` +
    ` stroke="${stroke}"/>`;
}

/** A picture on white ground, so that its words can be read wherever it stands. */
export function picture(width: number, height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}"` +
    ` height="${height}" font-family="sans-serif" fill="#222">\n` +
    `${[rect(0, 0, width, height, "#fff"), ...parts].join("\n")}\n</svg>\n`;
}

/** What the colours stand for, in a row. */
export function legend(x: number, y: number, names: readonly string[]): string[] {
  let at = x;
  return names.flatMap((name, i) => {
    const parts = [rect(at, y - 10, 12, 12, colour(i)), text(at + 18, y, name)];
    at += 18 + 7 * name.length + 18;
    return parts;
  });
}

export function colour(i: number): string {
  return COLOURS[i % COLOURS.length]!;
}

/** The next number above that people count in: 1, 2 or 5 and zeros. */
export function niceMaximum(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 1.5, 2, 3, 5, 10].find((step) => step * power >= value) ?? 10);
}

/** Large numbers in short. */
export function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
}
