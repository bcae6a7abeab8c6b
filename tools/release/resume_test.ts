import assert from "node:assert/strict";
import type { Release, World } from "./release.ts";
import { release } from "./release.ts";

const ROOT = new URL("file:///repository/");
const NAMES = ["@taskcast/core", "@taskcast/server", "taskcast"];

/** A repository and two registries. The command with the number `failsAt` fails, once. */
class FakeWorld implements World {
  readonly files = new Map([["deno.json", "0.1.0"]]);
  readonly ran: string[] = [];
  readonly jsr = new Set<string>();
  readonly npm = new Set<string>();
  built = false;
  commits = ["start"];
  tag = "";
  #count = 0;
  readonly #failsAt: number;
  /** Set if the work is done although the command fails, as when an answer is lost. */
  readonly #after: boolean;

  constructor(failsAt = Infinity, after = false) {
    this.#failsAt = failsAt;
    this.#after = after;
  }

  run(command: readonly string[], folder: URL): Promise<void> {
    const text = command.join(" ");
    const fails = this.#count++ === this.#failsAt;
    if (!fails || this.#after) this.#carryOut(text, folder);
    return fails ? Promise.reject(new Error(`${text} failed`)) : Promise.resolve();
  }

  #carryOut(text: string, folder: URL): void {
    this.ran.push(text);
    const member = `@taskcast/${folder.pathname.split("/").at(-2)}`;
    const tarball = /dist\/npm\/([\w-]+)-0\.2\.0\.tgz$/.exec(text)?.[1];
    if (text.startsWith("git commit")) this.commits.push("Release 0.2.0");
    else if (text.startsWith("git tag")) this.tag = this.#head();
    else if (text === "deno task npm") this.built = true;
    else if (text === "deno publish") publishOnce(this.jsr, member);
    else if (tarball !== undefined) {
      assert(this.built);
      publishOnce(this.npm, tarball.replace(/^taskcast-/, "@taskcast/"));
    }
  }

  #isDirty(): boolean {
    const committed = this.commits.length === 1 ? "0.1.0" : "0.2.0";
    return this.files.get("deno.json") !== committed;
  }

  #head(): string {
    return `commit ${this.commits.length}`;
  }

  output(...command: string[]): Promise<string> {
    const text = command.join(" ");
    return Promise.resolve(
      text === "git rev-parse HEAD"
        ? this.#head()
        : text === "git rev-parse --verify --quiet v0.2.0^{commit}"
        ? this.tag
        : text === "git log -1 --format=%s"
        ? this.commits.at(-1)!
        : text === "git status --porcelain" && this.#isDirty()
        ? " M deno.json"
        : "",
    );
  }

  write(file: URL, text: string): Promise<void> {
    this.files.set(file.pathname.split("/").at(-1)!, text);
    return Promise.resolve();
  }

  isOnJsr = (name: string) => Promise.resolve(this.jsr.has(name));
  isOnNpm = (name: string) => Promise.resolve(this.npm.has(name));
  say(): void {}
}

/** Registries accept a version once. */
function publishOnce(registry: Set<string>, name: string): void {
  assert(!registry.has(name), `${name} is published again`);
  registry.add(name);
}

const WHAT: Release = {
  version: "0.2.0",
  root: ROOT,
  members: NAMES.slice(0, 2).map((name) => ({ name, folder: new URL(`${name.slice(10)}/`, ROOT) })),
  npmNames: NAMES,
  changes: () =>
    Promise.resolve([{ file: new URL("deno.json", ROOT), before: "0.1.0", after: "0.2.0" }]),
  provenance: true,
};

Deno.test("a release that stops at any command is gone on with, and publishes nothing twice", async () => {
  const whole = new FakeWorld();
  await release(WHAT, whole);
  assert.equal(whole.ran.length, 9);
  for (const after of [false, true]) {
    for (let at = 0; at < whole.ran.length; at++) {
      const world = new FakeWorld(at, after);
      await assert.rejects(release(WHAT, world), /failed/);
      // A failure before the commit has changed nothing.
      const isCommitted = world.commits.length > 1;
      if (!isCommitted) assert.equal(world.files.get("deno.json"), "0.1.0");
      await release(WHAT, world);
      assert.deepEqual(world.commits, ["start", "Release 0.2.0"]);
      assert.deepEqual([world.jsr, world.npm], [whole.jsr, whole.npm], `${at}`);
      assert.equal(world.tag, whole.tag);
      // There is nothing left to do.
      const ran = world.ran.length;
      await release(WHAT, world);
      assert.equal(world.ran.length, ran);
    }
  }
});

Deno.test("a release continues at its own commit only, and starts without uncommitted changes", async () => {
  const elsewhere = new FakeWorld();
  elsewhere.tag = "commit 17";
  await assert.rejects(release(WHAT, elsewhere), /v0\.2\.0 is another commit/);
  const dirty = new FakeWorld();
  await dirty.write(new URL("deno.json", ROOT), "0.2.0");
  await assert.rejects(release(WHAT, dirty), /not committed/);
  assert.deepEqual([elsewhere.ran, dirty.ran], [[], []]);
});

Deno.test("npm is shown where a package comes from, if that can be proved", async () => {
  for (const provenance of [true, false]) {
    const world = new FakeWorld();
    await release({ ...WHAT, provenance }, world);
    const published = world.ran.filter((command) => command.startsWith("npm publish"));
    assert.equal(published.length, 3);
    for (const command of published) assert.equal(command.includes(" --provenance "), provenance);
  }
});
