/** A type or a parameter as `deno doc --json` describes it. */
// deno-lint-ignore no-explicit-any
export type DocNode = any;

/** Returns a type as TypeScript writes it. */
export function typeText(type: DocNode): string {
  if (type === undefined || type === null) return "unknown";
  const { kind, value } = type;
  switch (kind) {
    case "keyword":
    case "typeQuery":
      return kind === "typeQuery" ? `typeof ${value}` : value;
    case "literal":
      return literalText(value);
    case "typeRef":
      return value.typeName + typeArguments(value.typeParams);
    case "union":
      return value.map(typeText).join(" | ");
    case "intersection":
      return value.map(typeText).join(" & ");
    case "array":
      return /^(union|intersection|fnOrConstructor|typeOperator)$/.test(value.kind)
        ? `(${typeText(value)})[]`
        : `${typeText(value)}[]`;
    case "tuple":
      return `[${value.map(typeText).join(", ")}]`;
    case "parenthesized":
      return `(${typeText(value)})`;
    case "rest":
      return `...${typeText(value)}`;
    case "optional":
      return `${typeText(value)}?`;
    case "typeOperator":
      return `${value.operator} ${typeText(value.tsType)}`;
    case "indexedAccess":
      return `${typeText(value.objType)}[${typeText(value.indexType)}]`;
    case "conditional":
      return `${typeText(value.checkType)} extends ${typeText(value.extendsType)} ? ` +
        `${typeText(value.trueType)} : ${typeText(value.falseType)}`;
    case "infer":
      return `infer ${value.typeParam.name}`;
    case "fnOrConstructor":
      return `${value.constructor === true ? "new " : ""}${typeParameters(value.typeParams)}(${
        parameters(value.params)
      }) => ${typeText(value.tsType)}`;
    case "mapped":
      return `{ ${value.readonly ? "readonly " : ""}[${value.typeParam.name} in ${
        typeText(value.typeParam.constraint)
      }]${value.optional ? "?" : ""}: ${typeText(value.tsType)} }`;
    case "typeLiteral":
      return `{ ${members(value).join("; ")} }`;
    case "typePredicate":
      return `${value.asserts ? "asserts " : ""}${value.param.name ?? "this"}${
        value.type === undefined || value.type === null ? "" : ` is ${typeText(value.type)}`
      }`;
    case "this":
      return "this";
    default:
      // An unknown kind must not be left out silently.
      throw new Error(`The API report does not know types of the kind "${kind}"`);
  }
}

function literalText(literal: DocNode): string {
  switch (literal.kind) {
    case "string":
      return JSON.stringify(literal.string);
    case "template":
      return `\`${
        literal.tsTypes.map((part: DocNode) =>
          part.kind === "literal" && part.value.kind === "string"
            ? part.value.string
            : `\${${typeText(part)}}`
        ).join("")
      }\``;
    default:
      return String(literal[literal.kind]);
  }
}

function typeArguments(types: DocNode[] = []): string {
  return types.length === 0 ? "" : `<${types.map(typeText).join(", ")}>`;
}

/** Returns the type parameters of a declaration, with their bounds and defaults. */
export function typeParameters(params: DocNode[] = []): string {
  if (params.length === 0) return "";
  const texts = params.map(({ name, constraint, default: fallback }) =>
    name + (constraint ? ` extends ${typeText(constraint)}` : "") +
    (fallback ? ` = ${typeText(fallback)}` : "")
  );
  return `<${texts.join(", ")}>`;
}

/** Returns the parameters of a function; one that has a default is optional to its callers. */
export function parameters(params: DocNode[] = []): string {
  return params.map(parameter).join(", ");
}

function parameter(param: DocNode): string {
  switch (param.kind) {
    case "identifier":
      return `${param.name}${param.optional ? "?" : ""}: ${typeText(param.tsType)}`;
    case "assign":
      return parameter({ ...param.left, optional: true });
    case "rest":
      return `...${param.arg.name}: ${typeText(param.tsType ?? param.arg.tsType)}`;
    default:
      // The names inside a destructured parameter are not part of the interface.
      return `{}${param.optional ? "?" : ""}: ${typeText(param.tsType)}`;
  }
}

/** Returns the members of an interface or of a type literal, one text each. */
export function members(def: DocNode): string[] {
  const { constructors = [], methods = [], properties = [], callSignatures = [] } = def;
  const { indexSignatures = [] } = def;
  return [
    ...constructors.map((it: DocNode) => `new (${parameters(it.params)})`),
    ...callSignatures.map((it: DocNode) => `(${parameters(it.params)}): ${typeText(it.tsType)}`),
    ...indexSignatures.map((it: DocNode) =>
      `${it.readonly ? "readonly " : ""}[${parameters(it.params)}]: ${typeText(it.tsType)}`
    ),
    ...properties.map((it: DocNode) =>
      `${it.readonly ? "readonly " : ""}${it.name}${it.optional ? "?" : ""}: ${typeText(it.tsType)}`
    ),
    ...methods.map((it: DocNode) =>
      `${it.name}${it.optional ? "?" : ""}${typeParameters(it.typeParams)}(${
        parameters(it.params)
      }): ${typeText(it.returnType)}`
    ),
  ];
}
