/** The project's own sources, parsed, for tests that read them: what each imports, and where it uses what. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../..');

/** Whether the project has a file or a folder at a path from its root. */
export const isThere = (path: string): boolean => existsSync(join(ROOT, path));
export const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Parts of the sources for which the rules of the library do not hold. */
const APART = ['src/setup/', 'src/viewer/web/', 'src/report/runtime/', 'src/playground/view/'];

function sourcesBelow(folder: string): string[] {
  const path = join(ROOT, folder);
  return readdirSync(path).flatMap((name) => {
    const inside = join(folder, name);
    if (statSync(join(ROOT, inside)).isDirectory()) return sourcesBelow(inside);
    return /\.tsx?$/.test(name) && !name.endsWith('.d.ts') ? [inside] : [];
  });
}

export const isBelow = (file: string, prefix: string): boolean =>
  file === prefix || file.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);

export interface Source {
  readonly path: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly {
    readonly target: string;
    readonly names: readonly string[];
    readonly typeOnly: boolean;
  }[];
}

const FILES = [...sourcesBelow('src'), ...sourcesBelow('probes')].filter(
  (file) => !APART.some((prefix) => file.startsWith(prefix)),
);
export const SOURCES: readonly Source[] = FILES.map((path) => readSource(path));
export const TEST_FILES: readonly string[] = sourcesBelow('test');

export function readSource(path: string, text = readText(path)): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: { target: string; names: string[]; typeOnly: boolean }[] = [];
  visit(tree, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier === undefined || !ts.isStringLiteral(node.moduleSpecifier)) return;
      imports.push({
        target: resolveTarget(path, node.moduleSpecifier.text),
        names: importedNames(node),
        typeOnly: ts.isImportDeclaration(node) ? isTypeOnly(node.importClause) : node.isTypeOnly,
      });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (ts.isStringLiteral(specifier)) {
        imports.push({ target: resolveTarget(path, specifier.text), names: ['*'], typeOnly: false });
      }
    }
  });
  return { path, tree, imports };
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { namedBindings } = clause;
  return (
    clause.name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.length > 0 &&
    namedBindings.elements.every((element) => element.isTypeOnly)
  );
}

function importedNames(node: ts.ImportDeclaration | ts.ExportDeclaration): string[] {
  const bindings = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
  if (bindings !== undefined && (ts.isNamedImports(bindings) || ts.isNamedExports(bindings))) {
    return bindings.elements
      .filter((element) => !element.isTypeOnly)
      .map((element) => (element.propertyName ?? element.name).text);
  }
  return ['*'];
}

/** Path below the root with .ts, or the package name. */
function resolveTarget(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return relative(ROOT, resolve(ROOT, dirname(from), specifier)).replace(/\.js$/, '.ts');
}

export function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

export const lineOf = ({ path, tree }: Source, node: ts.Node): string =>
  `${path}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;

/** An identifier that is a variable in use, not a property, key or declaration of that name. */
export function isFree(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isTypeReferenceNode(parent) || ts.isQualifiedName(parent) || ts.isImportSpecifier(parent))
    return false;
  const isNamed =
    ts.isPropertyAssignment(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isParameter(parent) ||
    ts.isVariableDeclaration(parent) ||
    ts.isBindingElement(parent);
  return !(isNamed && parent.name === node);
}
