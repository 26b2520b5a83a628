/** The report of a module that says nothing but its findings. */
import type { Finding, ModuleReport } from '../../src/report/schema.js';

export function moduleOf(findings: readonly Finding[]): ModuleReport {
  return {
    version: 1,
    title: '',
    question: '',
    text: { shows: '', doesNotShow: '', method: '' },
    options: {},
    status: 'ok',
    leftOut: [],
    statistics: [],
    findings,
    charts: [],
  };
}
