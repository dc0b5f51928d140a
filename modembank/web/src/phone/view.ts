import { signal } from "@preact/signals";

export type View = "phone" | "calls" | "messages" | "rack";

/** What a small screen shows, and which table a large one shows beside the phone. */
export const view = signal<View>("phone");
