import given from "./publisher.json" with { type: "json" };

/**
 * Publisher of the packages, set in `publisher.json` beside this file; `null` for values that the
 * owner has not set.
 */
export interface Publisher {
  /** `Name <address> (https://…)`, as npm writes people. */
  author: string | null;
  /** `https` address of the repository. */
  repository: string | null;
  /** Address of the documentation. */
  homepage: string | null;
  /** Address of the issue tracker. */
  bugs: string | null;
}

/** Publisher of the packages of this repository. */
export const PUBLISHER: Publisher = given;

const ADDRESSES = ["repository", "homepage", "bugs"] as const;

/** Returns what is missing or invalid for a release. */
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
 * Returns the fields of `package.json` about the publisher, as far as they are given.
 *
 * @param directory Folder of the package in the repository; empty for the root.
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
