import { notOneOf } from "@taskcast/core/protocol";
import { InvalidArgumentError, Option } from "commander";

/** An option whose value is one of a few words; a misspelt one is told which may have been meant. */
export function choiceOption(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words).argParser((text: string) => {
    if (words.includes(text)) return text;
    throw new InvalidArgumentError(`It ${notOneOf(text, words)}`);
  });
}
