import type { StoredEvent } from "../../contracts/records.ts";

/** Some items, and where the reader is with them. */
export interface CollapsedItems {
  items: StoredEvent[];
  position: number;
  /** The entropy of the event there, where it is known. */
  entropy?: number;
  /** The reader has everything through the position. */
  isWhole: boolean;
}
