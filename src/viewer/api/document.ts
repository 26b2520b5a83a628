/** The published description of the API, OpenAPI 3.1, made of the table of operations. */
import { z } from 'zod';
import { packageVersion } from '../../io/package-root.js';
import { PROBLEM_TYPE } from '../http/problem.js';
import { type Operation, OPERATIONS } from './operations.js';
import { problemSchema } from './schemas.js';

type Described = Readonly<Record<string, unknown>>;

export function openApiDocument(): Described {
  const paths: Record<string, Record<string, Described>> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method.toLowerCase()]: described(operation),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'sumlens viewer',
      version: packageVersion(),
      description:
        'Runs, reports, sweeps and jobs of one machine. Reading is free on the loopback address and needs the token elsewhere; changing something always needs it: as the cookie of a page of the viewer with its Origin, or as a bearer.',
    },
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'The token that "sumlens serve --json" prints.',
        },
      },
      responses: {
        problem: {
          description: 'Refused or failed, in one sentence.',
          content: { [PROBLEM_TYPE]: { schema: schemaOf(problemSchema) } },
        },
      },
    },
    paths,
  };
}

function described({ method, path, summary, body, query = {}, status, answer }: Operation): Described {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  return {
    summary,
    operationId: `${method.toLowerCase()}${path.replace(/[^A-Za-z]+(.)?/g, (_, c?: string) => c?.toUpperCase() ?? '')}`,
    ...(names.length + Object.keys(query).length > 0 && {
      parameters: [
        ...names.map((name) => ({
          name,
          in: 'path',
          required: true,
          schema: { type: 'string' },
          description: `address of the ${name}, as the list has it`,
        })),
        ...Object.entries(query).map(([name, description], i) => ({
          name,
          in: 'query',
          required: i === 0,
          schema: { type: 'string' },
          description,
        })),
      ],
    }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body) } } },
    }),
    ...(method !== 'GET' && { security: [{ bearer: [] }] }),
    responses: {
      [status]: { description: descriptionOf(answer), content: contentOf(answer) },
      default: { $ref: '#/components/responses/problem' },
    },
  };
}

function descriptionOf(answer: Operation['answer']): string {
  return answer.kind === 'events' ? `Events: ${answer.names.join(', ')}.` : 'Done.';
}

function contentOf(answer: Operation['answer']): Described {
  switch (answer.kind) {
    case 'json':
      return { 'application/json': { schema: schemaOf(answer.schema) } };
    case 'events':
      return { 'text/event-stream': { schema: { type: 'string' } } };
    case 'file':
      return { [answer.type]: { schema: { type: 'string' } } };
  }
}

function schemaOf(schema: z.ZodType): Described {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}
