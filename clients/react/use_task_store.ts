import type { EventFilter } from "@taskcast/client";
import { useCallback, useSyncExternalStore } from "react";
import { useTaskcastClient } from "./provider.ts";
import type { TaskView, Watcher } from "./task_store.ts";
import { IDLE_VIEW, PENDING_VIEW } from "./task_store.ts";
import { peek, storeKey, watch } from "./task_stores.ts";

/** Options of all hooks. Hooks with the same task and filter share one connection. */
export interface FollowOptions {
  /** Only events that match. May be written inline, since its content is compared. @default all */
  filter?: EventFilter;
  /** Set to `false` to follow nothing. @default {true} */
  enabled?: boolean;
}

/** Follows a task while the component is mounted, and returns a part of its view. */
export function useTaskStore<T>(
  taskId: string | null | undefined,
  { filter, enabled = true }: FollowOptions,
  { maxEvents, seriesId, wantsTask }: Omit<Watcher, "onChange">,
  read: (view: TaskView) => T,
): T {
  const client = useTaskcastClient();
  const key = enabled && taskId ? storeKey(taskId, filter) : undefined;
  const subscribe = useCallback((onChange: () => void) => {
    if (key === undefined) return () => {};
    return watch(client, key, { onChange, maxEvents, seriesId, wantsTask });
  }, [client, key, maxEvents, seriesId, wantsTask]);
  const pending = key === undefined ? IDLE_VIEW : PENDING_VIEW;
  return useSyncExternalStore(
    subscribe,
    () => read((key === undefined ? undefined : peek(client, key)) ?? pending),
    () => read(pending),
  );
}
