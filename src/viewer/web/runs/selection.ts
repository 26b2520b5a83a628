/** Runs that are chosen for comparing, by address: kept while the viewer is open in this tab. */
import { signal } from '@preact/signals';

export const selection = signal<ReadonlySet<string>>(new Set());

export function choose(addresses: readonly string[], isChosen: boolean): void {
  const next = new Set(selection.peek());
  for (const address of addresses) {
    if (isChosen) next.add(address);
    else next.delete(address);
  }
  selection.value = next;
}

export function chooseNone(): void {
  selection.value = new Set();
}
