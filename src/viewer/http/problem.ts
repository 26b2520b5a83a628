/** Errors of the API as RFC 9457 has them: `application/problem+json`, with the sentence of the command line as detail. */

export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

export const PROBLEM_TYPE = 'application/problem+json';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Not understood',
  401: 'Token needed',
  403: 'Not served',
  404: 'Not here',
  405: 'Not done here',
  409: 'Not now',
  411: 'Length needed',
  413: 'Too large',
  414: 'Too long',
  415: 'Not JSON',
  429: 'Too many',
  500: 'Something went wrong',
  503: 'Busy',
};

export function problemOf(status: number, detail: string): Problem {
  return { type: 'about:blank', title: TITLES[status] ?? 'Something went wrong', status, detail };
}
