import type { DocNode } from "./type_text.ts";
import { members, parameters, typeParameters, typeText } from "./type_text.ts";

/**
 * Returns what an entry point exports: a line for each declaration and for each of its members,
 * sorted, `name kind signature`. Comments and places are left out, so a line changes only when the
 * interface does.
 *
 * @param symbols The `symbols` of a module, as `deno doc --json` describes them.
 */
export function reportLines(symbols: readonly DocNode[]): string[] {
  const lines = symbols.flatMap(({ name, declarations }) =>
    declarations
      .filter(({ declarationKind }: DocNode) => declarationKind === "export")
      .flatMap((declaration: DocNode) => linesOf(name, declaration))
  );
  return [...new Set(lines)].sort();
}

function linesOf(name: string, { kind, def }: DocNode): string[] {
  switch (kind) {
    case "function":
      return [`${name} function ${signature(def)}`];
    case "variable":
      return [`${name} ${def.kind} ${typeText(def.tsType)}`];
    case "typeAlias":
      return [`${name} type ${typeParameters(def.typeParams)}${typeText(def.tsType)}`];
    case "interface":
      return [
        joined(
          `${name} interface`,
          typeParameters(def.typeParams),
          heritage("extends", def.extends),
        ),
        ...members(def).map((member) => `${name}.${member}`),
      ];
    case "class":
      return classLines(name, def);
    case "enum":
      return [`${name} enum ${def.members.map((member: DocNode) => member.name).join(", ")}`];
    case "namespace":
    case "reference":
    case "moduleDoc":
      // A reference repeats an export of another module, which has its own lines.
      return kind === "reference" ? [`${name} reference`] : [];
    default:
      throw new Error(`The API report does not know declarations of the kind "${kind}"`);
  }
}

function classLines(name: string, def: DocNode): string[] {
  const isPublic = ({ accessibility }: DocNode) =>
    accessibility === undefined || accessibility === null || accessibility === "public";
  const { constructors = [], properties = [], methods = [] } = def;
  const parent = def.extends
    ? `extends ${def.extends}${
      def.superTypeParams?.length > 0 ? `<${def.superTypeParams.map(typeText).join(", ")}>` : ""
    }`
    : "";
  return [
    joined(
      `${name} ${def.isAbstract ? "abstract " : ""}class`,
      typeParameters(def.typeParams),
      parent,
      heritage("implements", def.implements),
    ),
    ...constructors.filter(isPublic).map((it: DocNode) =>
      `${name}.constructor(${parameters(it.params)})`
    ),
    ...properties.filter(isPublic).map((it: DocNode) =>
      `${name}.${prefix(it)}${it.name}${it.optional ? "?" : ""}: ${typeText(it.tsType)}`
    ),
    ...methods.filter(isPublic).map((it: DocNode) =>
      `${name}.${prefix(it)}${
        it.kind === "getter" || it.kind === "setter" ? `${it.kind.slice(0, 3)} ` : ""
      }${it.name}${it.optional ? "?" : ""}${signature(it.functionDef)}`
    ),
  ];
}

function prefix({ isStatic, isAbstract, readonly }: DocNode): string {
  return (isStatic ? "static " : "") + (isAbstract ? "abstract " : "") +
    (readonly ? "readonly " : "");
}

function signature(def: DocNode): string {
  return `${typeParameters(def.typeParams)}(${parameters(def.params)}): ${
    typeText(def.returnType)
  }`;
}

function heritage(word: "extends" | "implements", types: DocNode[] = []): string {
  return types.length === 0 ? "" : `${word} ${types.map(typeText).join(", ")}`;
}

function joined(...parts: string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}
