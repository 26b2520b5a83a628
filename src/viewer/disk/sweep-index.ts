/** The sweeps on disk as the viewer follows them: folders of results that grow, whoever writes them. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lockHolder } from '../../io/lock.js';
import { parseJsonStrict } from '../../io/json.js';
import { OUTLINE_FILE, outlineSchema, type SweepOutline } from '../../workflows/sweep/plan/outline.js';
import { RESULTS_FILE } from '../../workflows/sweep/results/results-file.js';
import { LOCK_FILE } from '../../workflows/sweep/results/shards.js';
import { isPlainName, openContained, readContained } from './contained.js';
import { ADDRESS_NAME, type SweepState, type SweepSummary } from '../contract.js';
import { SweepTally } from './sweep-tally.js';
import { readTail } from './tail.js';

const MOST_OUTLINE_BYTES = 4 << 20;
const FRESH_MS = 400;

interface Known {
  tally: SweepTally;
  offset: number;
  state: SweepState | undefined;
  madeAt: number;
  reading: Promise<SweepState | undefined> | undefined;
}

export class SweepIndex {
  private readonly known = new Map<string, Known>();

  constructor(private readonly root: string) {}

  async sweeps(): Promise<SweepSummary[]> {
    const states = await Promise.all((await this.names()).map((name) => this.read(name)));
    return states.flatMap((state) => {
      if (state === undefined) return [];
      const { name, running, finished, total, share, etaMs } = state;
      return [{ name, running, finished, total, share, etaMs }];
    });
  }

  /** Where a sweep stands now; undefined: there is none of that name. @param name - of a folder, from an address at worst */
  async read(name: string): Promise<SweepState | undefined> {
    if (!ADDRESS_NAME.test(name)) return undefined;
    const known = this.known.get(name) ?? {
      tally: new SweepTally(),
      offset: 0,
      state: undefined,
      madeAt: -Infinity,
      reading: undefined,
    };
    if (performance.now() - known.madeAt < FRESH_MS) return known.state;
    known.reading ??= this.update(name, known).finally(() => (known.reading = undefined));
    return known.reading;
  }

  private async update(name: string, known: Known): Promise<SweepState | undefined> {
    for (;;) {
      const tail = await readTail(this.root, [name, RESULTS_FILE], known.offset);
      if (tail.kind === 'absent') {
        this.known.delete(name);
        return undefined;
      }
      // names come from addresses: only what is there is remembered
      this.known.set(name, known);
      if (tail.kind === 'reset') {
        known.tally = new SweepTally();
        known.offset = 0;
        continue;
      }
      for (const line of tail.lines) known.tally.add(line);
      known.offset = tail.next;
      if (!tail.more) break;
      // a long file must not keep every other answer waiting
      await new Promise((resolve) => setImmediate(resolve));
    }
    const isRunning = lockHolder(join(this.root, name, LOCK_FILE)) !== undefined;
    known.state = known.tally.state(name, isRunning, await this.outline(name));
    known.madeAt = performance.now();
    return known.state;
  }

  private async outline(name: string): Promise<SweepOutline | undefined> {
    const bytes = await readContained(this.root, [name, OUTLINE_FILE], MOST_OUTLINE_BYTES);
    if (bytes === undefined) return undefined;
    try {
      const value = parseJsonStrict(bytes.toString('utf8'), { where: OUTLINE_FILE });
      return outlineSchema.safeParse(value).data;
    } catch {
      return undefined;
    }
  }

  private async names(): Promise<string[]> {
    let names: string[];
    try {
      const entries = await readdir(this.root, { withFileTypes: true });
      names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    } catch {
      return [];
    }
    const found: string[] = [];
    for (const name of names.sort()) {
      if (!isPlainName(name) || !ADDRESS_NAME.test(name)) continue;
      const file = await openContained(this.root, name, RESULTS_FILE);
      await file?.handle.close();
      if (file !== undefined) found.push(name);
    }
    return found;
  }
}
