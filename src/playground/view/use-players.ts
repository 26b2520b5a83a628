/** Opens the models that a page asks for, one engine for all, and gives back those it no longer shows. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Engine } from '../../engine/engine.js';
import { openWasmEngine } from '../../engine/wasm/engine.js';
import { errorMessage } from '../../errors.js';
import { readPlaygroundDocument } from '../document.js';
import { type Player, openPlayer } from '../player.js';
import type { Library } from './library.js';

export type Slot =
  | { readonly name: string; readonly kind: 'opening' }
  | { readonly name: string; readonly kind: 'failed'; readonly message: string }
  | { readonly name: string; readonly kind: 'open'; readonly player: Player };

export function usePlayers(library: Library, names: readonly string[]): readonly Slot[] {
  const engine = useRef<Promise<Engine>>(undefined);
  const [slots, setSlots] = useState<ReadonlyMap<string, Slot>>(new Map());
  const known = useRef(new Map<string, Slot>());
  const wanted = names.join('\n');

  useEffect(() => {
    const put = (slot: Slot): void => {
      known.current.set(slot.name, slot);
      setSlots(new Map(known.current));
    };
    for (const [name, slot] of [...known.current]) {
      if (names.includes(name)) continue;
      if (slot.kind === 'open') slot.player.dispose();
      known.current.delete(name);
    }
    for (const name of names) {
      if (known.current.has(name)) continue;
      put({ name, kind: 'opening' });
      open(library, engine, name).then(
        (player) => {
          if (known.current.get(name)?.kind === 'opening') put({ name, kind: 'open', player });
          else player.dispose();
        },
        (error: unknown) => {
          if (known.current.has(name)) put({ name, kind: 'failed', message: errorMessage(error) });
        },
      );
    }
  }, [wanted, library]);

  return names.map((name) => slots.get(name) ?? { name, kind: 'opening' });
}

async function open(
  library: Library,
  engine: { current: Promise<Engine> | undefined },
  name: string,
): Promise<Player> {
  const document = readPlaygroundDocument(await library.load(name));
  engine.current ??= library.kernels().then(openWasmEngine);
  return openPlayer(await engine.current, document);
}
