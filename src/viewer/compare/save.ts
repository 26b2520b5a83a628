/** What the page of a comparison shows, as one file: to be downloaded, and as a report of a new name. */
import { join } from 'node:path';
import { isReservedName } from '../../checkpoint/run-files.js';
import { printable, RunError, unacceptable } from '../../errors.js';
import { exists, publishDirectory } from '../../io/files.js';
import { addressOf } from '../disk/address.js';
import type { SavedComparison, SavedReport, SaveRequest } from '../contract/compare.js';
import type { Asset } from '../deps.js';
import { RefusedError } from '../http/guard.js';
import type { CompareFolders, CompareIndex } from './index.js';
import { comparisonPage, type PageRuntime } from './page.js';

const MOST_TITLE = 200;
/** What is downloaded has no name of its own yet. */
const PLAIN_TITLE = 'Comparison';

export class ComparisonPages {
  constructor(
    private readonly comparisons: Pick<CompareIndex, 'compare' | 'planesOf'>,
    private readonly folders: Pick<CompareFolders, 'reportsDir'>,
    private readonly assets: ReadonlyMap<string, Asset>,
  ) {}

  async page(of: string, series: boolean): Promise<string> {
    return comparisonPage(await this.saved(of, series, PLAIN_TITLE), this.runtime());
  }

  /** @throws UserError when name or title is none, RefusedError when the name is taken */
  async save({ of, series = false, name, title: given }: SaveRequest): Promise<SavedReport> {
    if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name) || isReservedName(name)) {
      throw unacceptable(
        'name',
        name,
        '1 to 64 letters, digits, ".", "-" or "_", the first a letter or digit, and no name of a device such as CON',
      );
    }
    const title = given === undefined || given.trim() === '' ? `sumlens ${name}` : given.trim();
    if (title.length > MOST_TITLE || /\p{Cc}/u.test(title))
      throw unacceptable(
        'title',
        title,
        `text of at most ${MOST_TITLE} characters, without control characters`,
      );
    const folder = join(this.folders.reportsDir, name);
    const refuseTaken = (): void => {
      if (exists(folder))
        throw new RefusedError(409, `There is a report ${printable(name)} already. Choose another name.`);
    };
    refuseTaken();
    const saved = await this.saved(of.join(','), series, title);
    const page = comparisonPage(saved, this.runtime());
    // another request may have come in between
    refuseTaken();
    publishDirectory(folder, [
      { name: 'comparison.json', bytes: `${JSON.stringify(saved)}\n` },
      { name: 'index.html', bytes: page },
    ]);
    return { report: addressOf(name) };
  }

  private async saved(of: string, series: boolean, title: string): Promise<SavedComparison> {
    const comparison = await this.comparisons.compare(of, series);
    const planes = await this.comparisons.planesOf(of);
    return { kind: 'comparison', version: 1, title, comparison, planes };
  }

  private runtime(): PageRuntime {
    const [script, styles] = ['comparison.js', 'comparison.css'].map((name) => {
      const asset = this.assets.get(name);
      if (asset === undefined)
        throw new RunError(`The page cannot be drawn: ${name} was not found. Run "npm run build".`);
      return asset.body.toString('utf8');
    });
    return { script, styles };
  }
}
