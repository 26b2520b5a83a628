/** State changes as somebody else would send them: RUN is the run, TOKEN the token, PORT the port. */
const JSON_BODY = 'Content-Type: application/json';
const WITH_TOKEN = 'Authorization: Bearer TOKEN';
const OURS = 'Origin: http://127.0.0.1:PORT';
const COOKIE = 'Cookie: sumlens-PORT=TOKEN';
export const START = '{"kind":"train","fields":{"training.steps":1}}';
const DELETE_IT = '{"confirm":"RUN"}';

export interface Change {
  readonly what: string;
  readonly method?: string;
  readonly path?: string;
  readonly lines: readonly string[];
  readonly body?: string;
  /** sent as it is; default: the length of the body */
  readonly length?: string | null;
}

export const CHANGES: readonly Change[] = [
  { what: 'no token', lines: [JSON_BODY] },
  { what: 'no token from our origin', lines: [JSON_BODY, OURS] },
  { what: 'a guessed token', lines: [JSON_BODY, `Authorization: Bearer ${'A'.repeat(32)}`] },
  { what: 'an empty token', lines: [JSON_BODY, 'Authorization: Bearer '] },
  { what: 'the token as a password', lines: [JSON_BODY, 'Authorization: Basic TOKEN'] },
  { what: 'the token in the address', path: '/api/jobs?token=TOKEN', lines: [JSON_BODY] },
  { what: 'the token in the body', lines: [JSON_BODY], body: '{"kind":"train","token":"TOKEN"}' },
  { what: 'a cookie without an origin', lines: [JSON_BODY, COOKIE] },
  { what: 'a cookie from another origin', lines: [JSON_BODY, COOKIE, 'Origin: http://evil.example'] },
  { what: 'a cookie from the null origin', lines: [JSON_BODY, COOKIE, 'Origin: null'] },
  { what: 'a cookie from our other name', lines: [JSON_BODY, COOKIE, 'Origin: http://localhost:PORT'] },
  { what: 'a cookie from another port', lines: [JSON_BODY, COOKIE, 'Origin: http://127.0.0.1:1'] },
  { what: 'a cookie from https', lines: [JSON_BODY, COOKIE, 'Origin: https://127.0.0.1:PORT'] },
  { what: 'a cookie and two origins', lines: [JSON_BODY, COOKIE, OURS, 'Origin: http://evil.example'] },
  { what: 'a cookie of another port', lines: [JSON_BODY, 'Cookie: sumlens-1=TOKEN', OURS] },
  { what: 'a cookie from another site', lines: [JSON_BODY, COOKIE, OURS, 'Sec-Fetch-Site: cross-site'] },
  {
    what: 'a cookie from another port of the site',
    lines: [JSON_BODY, COOKIE, OURS, 'Sec-Fetch-Site: same-site'],
  },
  {
    what: 'a navigation',
    lines: [
      JSON_BODY,
      COOKIE,
      OURS,
      'Sec-Fetch-Site: cross-site',
      'Sec-Fetch-Mode: navigate',
      'Sec-Fetch-Dest: document',
    ],
  },
  { what: 'another host', lines: [JSON_BODY, WITH_TOKEN, 'Host: evil.example:PORT'] },
  {
    what: 'a host that was rebound',
    lines: [JSON_BODY, COOKIE, 'Host: evil.example:PORT', 'Origin: http://evil.example:PORT'],
  },
  { what: 'a form', lines: ['Content-Type: application/x-www-form-urlencoded', COOKIE, OURS] },
  { what: 'plain text', lines: ['Content-Type: text/plain', COOKIE, OURS] },
  { what: 'a form of parts', lines: ['Content-Type: multipart/form-data; boundary=x', COOKIE, OURS] },
  { what: 'no type', lines: [COOKIE, OURS] },
  { what: 'two types', lines: [JSON_BODY, 'Content-Type: text/plain', COOKIE, OURS] },
  { what: 'another character set', lines: ['Content-Type: application/json; charset=utf-16', COOKIE, OURS] },
  { what: 'a chunked body', lines: [JSON_BODY, WITH_TOKEN, 'Transfer-Encoding: chunked'], length: null },
  { what: 'a compressed body', lines: [JSON_BODY, WITH_TOKEN, 'Content-Encoding: gzip'] },
  { what: 'no length', lines: [JSON_BODY, WITH_TOKEN], length: null },
  { what: 'two lengths', lines: [JSON_BODY, WITH_TOKEN, 'Content-Length: 4'] },
  { what: 'a negative length', lines: [JSON_BODY, WITH_TOKEN], length: '-1' },
  { what: 'a huge body', lines: [JSON_BODY, WITH_TOKEN], length: '999999999' },
  { what: 'an upgrade', lines: [JSON_BODY, WITH_TOKEN, 'Upgrade: websocket', 'Connection: Upgrade'] },
  {
    what: 'a method in a header',
    method: 'GET',
    path: '/api/jobs/check',
    lines: ['X-HTTP-Method-Override: POST', COOKIE],
    body: '',
    length: null,
  },
  {
    what: 'a preflight',
    method: 'OPTIONS',
    lines: ['Origin: http://evil.example', 'Access-Control-Request-Method: POST'],
  },
  { what: 'a path with a query', path: '/api/jobs?x=1', lines: [JSON_BODY, WITH_TOKEN] },
  { what: 'a path with a slash', path: '/api/jobs/', lines: [JSON_BODY, WITH_TOKEN] },
  { what: 'a path with dots', path: '/api/runs/../jobs', lines: [JSON_BODY, WITH_TOKEN] },
  {
    what: 'a module of a file',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"kind":"probe","module":"../outside/evil.mjs","checkpoints":["RUN"]}',
  },
  {
    what: 'a checkpoint outside',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"kind":"probe","module":"all","checkpoints":["../outside"]}',
  },
  {
    what: 'a checkpoint behind a link',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"kind":"probe","module":"all","checkpoints":["linked-run"]}',
  },
  {
    what: 'a flag for a checkpoint',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"kind":"probe","module":"all","checkpoints":["--config=/etc/passwd"]}',
  },
  {
    what: 'a report elsewhere',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"kind":"probe","module":"all","checkpoints":["RUN"],"name":"../outside"}',
  },
  {
    what: 'a plan elsewhere',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"kind":"sweep","plan":"../outside/secret.txt"}',
  },
  { what: 'a flag for a plan', lines: [JSON_BODY, WITH_TOKEN], body: '{"kind":"sweep","plan":"--slurm"}' },
  { what: 'another kind', lines: [JSON_BODY, WITH_TOKEN], body: '{"kind":"shell","command":"touch pwned"}' },
  {
    what: 'a data file',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"kind":"train","fields":{"data.file":"/etc/passwd"}}',
  },
  {
    what: 'a key of the prototype',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"kind":"train","__proto__":{"preset":"smoke"}}',
  },
  {
    what: 'a field of the prototype',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"kind":"train","fields":{"constructor.prototype":"1"}}',
  },
  { what: 'no JSON', lines: [JSON_BODY, WITH_TOKEN], body: 'kind=train' },
  { what: 'deep JSON', lines: [JSON_BODY, WITH_TOKEN], body: '['.repeat(20_000) },
  {
    what: 'deleting without a token',
    method: 'DELETE',
    path: '/api/runs/RUN',
    lines: [JSON_BODY, OURS],
    body: DELETE_IT,
  },
  {
    what: 'deleting without its name',
    method: 'DELETE',
    path: '/api/runs/RUN',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"confirm":"yes"}',
  },
  {
    what: 'deleting what a link leads to',
    method: 'DELETE',
    path: '/api/runs/linked-run',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"confirm":"linked-run"}',
  },
  {
    what: 'deleting all runs',
    method: 'DELETE',
    path: '/api/runs',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"confirm":"."}',
  },
  {
    what: 'deleting the parent',
    method: 'DELETE',
    path: '/api/runs/..',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"confirm":".."}',
  },
  {
    what: 'deleting a report by a link',
    method: 'DELETE',
    path: '/api/reports/linked-report',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"confirm":"linked-report"}',
  },
  {
    what: 'notes behind a link',
    method: 'PUT',
    path: '/api/runs/linked-run/notes',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{"tags":["x"],"note":""}',
  },
  {
    what: 'notes without a token',
    method: 'PUT',
    path: '/api/runs/RUN/notes',
    lines: [JSON_BODY, OURS],
    body: '{"tags":["x"],"note":""}',
  },
  { what: 'a job that is none', path: '/api/jobs/..', lines: [JSON_BODY, WITH_TOKEN], body: '{}' },
  {
    what: 'cancelling what is no job',
    path: '/api/jobs/RUN/cancel',
    lines: [JSON_BODY, WITH_TOKEN],
    body: '{}',
  },
];
