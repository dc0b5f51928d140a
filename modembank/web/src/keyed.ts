import { batch, signal, type ReadonlySignal, type Signal } from "@preact/signals";

/** Records by id, each in a signal of its own, so that one changed row redraws one row. */
export class Keyed<T extends { id: string }> {
  private readonly byId = new Map<string, Signal<T>>();
  private readonly order = signal<readonly string[]>([]);

  /** The ids, oldest first; changes only when a record comes or goes. */
  get ids(): ReadonlySignal<readonly string[]> {
    return this.order;
  }

  get(id: string): Signal<T> | undefined {
    return this.byId.get(id);
  }

  peek(id: string): T | undefined {
    return this.byId.get(id)?.peek();
  }

  *values(): Iterable<T> {
    for (const id of this.order.value) {
      const record = this.byId.get(id);
      if (record !== undefined) yield record.peek();
    }
  }

  put(records: Iterable<T>): void {
    batch(() => {
      const added: string[] = [];
      for (const record of records) {
        const known = this.byId.get(record.id);
        if (known !== undefined) known.value = record;
        else {
          this.byId.set(record.id, signal(record));
          added.push(record.id);
        }
      }
      if (added.length > 0) this.order.value = [...this.order.peek(), ...added];
    });
  }

  /** Exactly these records from now on. */
  replace(records: readonly T[]): void {
    const kept = new Set(records.map((record) => record.id));
    batch(() => {
      this.remove([...this.byId.keys()].filter((id) => !kept.has(id)));
      this.put(records);
    });
  }

  remove(ids: Iterable<string>): void {
    const gone = new Set(ids);
    if (gone.size === 0) return;
    batch(() => {
      this.order.value = this.order.peek().filter((id) => !gone.has(id));
      for (const id of gone) this.byId.delete(id);
    });
  }
}
