/**
 * docs/api.md: every export of src/index.ts with its signature and docstring, from the declarations that the build wrote.
 * Needs the built project.
 */
import { join, relative } from 'node:path';
import prettier from 'prettier';
import ts from 'typescript';
import { ROOT } from './common.mjs';

export const API_FILE = join(ROOT, 'docs', 'api.md');

const BEGINNING = `# The library, name by name

Made by \`npm run make:api\` from the declarations of \`src/index.ts\`; a test says when it is out of date. Begin with
[docs/lens.md](lens.md) and the examples of the [README](../README.md); everything here is imported from \`sumlens\`.
`;

/** Text of a docstring, and its tags as a list. */
function docstring(symbol, checker) {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
  const tags = symbol.getJsDocTags(checker).map(({ name, text: parts }) => {
    const own = ts.displayPartsToString(parts).replaceAll(/\s*\n\s*/g, ' ');
    return `- ${name === 'param' ? '' : `${name}: `}${escaped(own)}`;
  });
  return [escaped(text), tags.join('\n')].filter((part) => part !== '').join('\n\n');
}

/** Outside code a star, an underscore, a bracket or an angle would be read as Markdown. */
const escaped = (text) =>
  text
    .split(/(`[^`]*`)/)
    .map((piece, i) => (i % 2 === 1 ? piece : piece.replaceAll(/[\\*_<>[\]|]/g, '\\$&')))
    .join('');

/** A declaration without the words that say that it is one. */
function signature(declaration) {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return node.getText().replace(/^(export )?(declare )?/, '');
}

/** @returns the whole file */
export async function makeApi() {
  const entry = join(ROOT, 'dist', 'src', 'index.d.ts');
  const program = ts.createProgram([entry], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    skipLibCheck: true,
    types: [],
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry);
  if (source === undefined) throw new Error('dist/src/index.d.ts is missing: npm run setup makes it.');
  const sections = new Map();
  for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(source))) {
    const symbol =
      (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported);
    const declarations = symbol.getDeclarations() ?? [];
    const file = relative(join(ROOT, 'dist'), declarations[0].getSourceFile().fileName).replaceAll('\\', '/');
    const code = [...new Set(declarations.map(signature))].join('\n');
    const entries = sections.get(file) ?? [];
    entries.push({ name: exported.name, code, text: docstring(symbol, checker) });
    sections.set(file, entries);
  }
  const body = [...sections].map(([file, entries]) => {
    const own = entries.map(
      ({ name, code, text }) =>
        `### ${name}\n\n\`\`\`typescript\n${code}\n\`\`\`${text === '' ? '' : `\n\n${text}`}`,
    );
    return `## ${file.replace(/\.d\.ts$/, '')}\n\n${own.join('\n\n')}`;
  });
  const config = await prettier.resolveConfig(API_FILE);
  return prettier.format(`${BEGINNING}\n${body.join('\n\n')}\n`, { ...config, parser: 'markdown' });
}
