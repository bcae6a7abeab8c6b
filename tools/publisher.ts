import given from "./publisher.json" with { type: "json" };

/**
 * Whose packages these are. `publisher.json` beside this file is the one place where that is set; `null`
 * is what the owner has not given yet.
 */
export interface Publisher {
  /** `Name <address> (https://…)`, as npm writes people. */
  author: string | null;
  /** Where the source is: the `https` address of the repository. */
  repository: string | null;
  /** Where the documentation is. */
  homepage: string | null;
  /** Where faults are reported. */
  bugs: string | null;
}

/** The publisher of the packages of this repository. */
export const PUBLISHER: Publisher = given;

const ADDRESSES = ["repository", "homepage", "bugs"] as const;

/** What a release still needs to be given, and what is given and cannot be. */
export function publisherProblems(publisher: Publisher): string[] {
  const keys = ["author", ...ADDRESSES] as const;
  return keys.flatMap((key) => {
    const value = publisher[key];
    if (value === null || value === "") return [`${key} is missing`];
    const isAddress = key !== "author";
    return isAddress && !isHttps(value)
      ? [`${key} must be an address that begins with https://`]
      : [];
  });
}

function isHttps(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === "https:";
}

/**
 * What `package.json` says of the publisher, as far as it is given.
 *
 * @param directory Where in the repository the package is; empty for its root.
 */
export function publisherFields(
  { author, repository, homepage, bugs }: Publisher,
  directory: string,
): Record<string, unknown> {
  return {
    ...(author === null ? {} : { author }),
    ...(homepage === null ? {} : { homepage }),
    ...(bugs === null ? {} : { bugs: { url: bugs } }),
    ...(repository === null ? {} : {
      repository: {
        type: "git",
        url: `git+${repository.replace(/(\.git)?\/?$/, ".git")}`,
        ...(directory === "" ? {} : { directory }),
      },
    }),
  };
}
