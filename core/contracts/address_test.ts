import assert from "node:assert/strict";
import { decodeAddressPart, readAddressParameters } from "./address.ts";

Deno.test("readAddressParameters() uses known parameters, and refuses others by name only", () => {
  const known = { used: ["family", "db"], ignored: ["pool_size"], refused: { role: "no roles" } };
  const read = (query: string) => Object.fromEntries(readAddressParameters(query, known));
  assert.deepEqual(read("family=6&pool_size=3&db=%31"), { family: "6", db: "1" });
  assert.deepEqual(read(""), {});
  const cases: [string, string][] = [
    ["famly=secret", 'has the parameter "famly", which is not known: did you mean "family"?'],
    ["other=secret", 'has the parameter "other", which is not known: known are family, db'],
    ["sec%2Fret=1", "has a parameter that is not known"],
    ["toString=secret", 'has the parameter "toString", which is not known: known are family, db'],
    ["role=secret", 'has the parameter "role": no roles'],
    ["db=1&family=6&db=secret", 'has the parameter "db" twice'],
    ["pool_size=1&pool_size=secret", 'has the parameter "pool_size" twice'],
  ];
  for (const [query, message] of cases) assert.throws(() => read(query), { message });
});

Deno.test("decodeAddressPart() reads every code that is one, and leaves other percent signs", () => {
  const cases = { "p%40ss%2f": "p@ss/", "50%": "50%", "50%+%C3%A9": "50%+é", "%ff%40": "%ff%40" };
  for (const [text, plain] of Object.entries(cases)) assert.equal(decodeAddressPart(text), plain);
});
