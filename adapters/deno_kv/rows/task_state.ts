import type { Database } from "../connection/database.ts";
import { getAll } from "../connection/database.ts";
import { ChangedMeanwhile } from "../errors.ts";
import type { KvKey } from "../connection/kv.ts";
import type {
  ClassValue,
  FoldValue,
  Head,
  PreparedDraft,
  ProducerValue,
  SeriesValue,
} from "./values.ts";

/** A series and its fold. */
export interface SeriesState {
  series: SeriesValue;
  fold?: FoldValue;
}

type DraftNames = Pick<
  PreparedDraft,
  "type" | "level" | "seriesId" | "seriesMode" | "producer"
>;

/**
 * Maximum number of series, of event kinds and of producers that are cached per task between commits.
 */
const MAX_REMEMBERED = 8;

/**
 * State of a task while commits are planned, and between them. It is valid as long as its head
 * is at this version. Values are replaced and never changed, so a copy is cheap.
 */
export class TaskState {
  readonly taskId: string;
  head: Head | undefined;
  /** The version of the head; `null` if there is none. */
  versionstamp: string | null;
  /** By {@linkcode classKeyOf}; `undefined` means that none is stored. */
  readonly classes: Map<string, ClassValue | undefined>;
  readonly series: Map<string, SeriesState | undefined>;
  readonly producers: Map<string, ProducerValue | undefined>;

  constructor(
    taskId: string,
    head: Head | undefined,
    versionstamp: string | null,
    from?: TaskState,
  ) {
    this.taskId = taskId;
    this.head = head;
    this.versionstamp = versionstamp;
    this.classes = new Map(from?.classes);
    this.series = new Map(from?.series);
    this.producers = new Map(from?.producers);
  }

  /** Returns a copy that can change independently. */
  fork(): TaskState {
    return new TaskState(this.taskId, this.head, this.versionstamp, this);
  }

  /** Drops what would take too much memory. */
  shrink(): void {
    for (const map of [this.classes, this.series, this.producers]) {
      if (map.size > MAX_REMEMBERED) map.clear();
    }
  }

  /** Returns true if events of a draft stand alone. Its series must be known. */
  isPlain({ seriesId, seriesMode }: DraftNames): boolean {
    if (seriesId === undefined) return true;
    const mode = this.series.get(seriesId)?.series.mode ?? seriesMode ?? "keep-all";
    return mode === "keep-all";
  }
}

/** Returns the name of a class in {@linkcode TaskState.classes}. */
export function classKeyOf({ type, level }: DraftNames, isPlain: boolean): string {
  return `${level} ${isPlain} ${type}`;
}

/** Loads the state of a task. */
export async function loadState({ kv, keys }: Database, taskId: string): Promise<TaskState> {
  const { value, versionstamp } = await kv.get(keys.head(taskId));
  return new TaskState(taskId, (value ?? undefined) as Head | undefined, versionstamp);
}

/** Reads whatever checking and appending drafts needs and the state does not have yet. */
export async function loadFor(
  { kv, keys }: Database,
  state: TaskState,
  drafts: readonly DraftNames[],
): Promise<void> {
  if (state.head === undefined || drafts.length === 0) return;
  const { life: storageId } = state.head;
  const first = new KeyReads();
  for (const { seriesId, producer } of drafts) {
    if (seriesId !== undefined && !state.series.has(seriesId)) {
      first.add(keys.series(storageId, seriesId), (value) => {
        const series = value as SeriesValue | undefined;
        state.series.set(seriesId, series && { series });
      });
    }
    if (producer !== undefined && !state.producers.has(producer.id)) {
      first.add(
        keys.producer(storageId, producer.id),
        (value) => void state.producers.set(producer.id, value as ProducerValue | undefined),
      );
    }
  }
  await first.read(kv);
  const second = new KeyReads();
  for (const draft of drafts) {
    const known = draft.seriesId === undefined ? undefined : state.series.get(draft.seriesId);
    const newest = known?.series.newest;
    if (known !== undefined && newest !== undefined && known.fold === undefined) {
      second.add(keys.fold(storageId, newest), (value) => {
        if (value === undefined) throw new ChangedMeanwhile();
        state.series.set(draft.seriesId!, { ...known, fold: value as FoldValue });
      });
    }
    const isPlain = state.isPlain(draft);
    const name = classKeyOf(draft, isPlain);
    if (!state.classes.has(name)) {
      second.add(
        keys.eventClass(storageId, draft.type, draft.level, isPlain),
        (value) => void state.classes.set(name, value as ClassValue | undefined),
      );
    }
  }
  await second.read(kv);
}

/** Keys to read together, each once. */
class KeyReads {
  readonly #takers = new Map<string, { key: KvKey; take: (value: unknown) => void }>();

  add(key: KvKey, take: (value: unknown) => void): void {
    this.#takers.set(JSON.stringify(key), { key, take });
  }

  async read(kv: Database["kv"]): Promise<void> {
    const wanted = [...this.#takers.values()];
    const found = await getAll(kv, wanted.map(({ key }) => key));
    for (const [at, { value }] of found.entries()) wanted[at]!.take(value ?? undefined);
  }
}
