import type { StoredEvent } from "../../contracts/records.ts";

/** Some items of a collapsed replay, and the reader's position after them. */
export interface CollapsedItems {
  items: StoredEvent[];
  position: number;
  /** The entropy of the event at the position, if known. */
  entropy?: number;
  /** Set if the reader then has everything through the position. */
  isWhole: boolean;
}
