/** The default configuration, put together from the table of settings. */
import {
  MODEL_SETTINGS,
  OPTIMIZER_SETTINGS,
  SEED_SETTING,
  TRAINING_SETTINGS,
  VOCABULARY_SETTING,
} from './settings.js';
import { DATA_SETTINGS } from './data-settings.js';
import type { Row, Values } from './setting.js';
import type { RunConfig } from './run-config.js';

export const DEFAULT_SEED = SEED_SETTING.default;

export const DEFAULT_RUN: RunConfig = {
  data: defaultsOf(DATA_SETTINGS),
  model: defaultsOf(MODEL_SETTINGS),
  optimizer: defaultsOf(OPTIMIZER_SETTINGS),
  training: defaultsOf(TRAINING_SETTINGS),
  seed: DEFAULT_SEED,
  vocabulary: VOCABULARY_SETTING.default,
};

/** Fields that are absent by default have no key. */
function defaultsOf<Rows extends Readonly<Record<string, Row<unknown>>>>(rows: Rows): Values<Rows> {
  const given = Object.entries(rows).map(([key, row]) => [key, row.default] as const);
  // every row's default has the type of its field
  return Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Values<Rows>;
}
