// The API's document, to be read: every route with what it asks, takes, gives and may refuse with.
// It draws what the document says and nothing else, so that it is never out of date.

const $ = (id) => document.getElementById(id);

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function code(text) {
  return element("code", { textContent: text });
}

// A schema in one line; what has a name is a link to it.
function shape(schema) {
  if (!schema || schema === true) return [code("anything")];
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return [element("a", { href: `#${name}`, textContent: name })];
  }
  if (schema.allOf) return shape(schema.allOf[0]);
  if (schema.anyOf) return schema.anyOf.flatMap((each, at) => at ? [" or ", ...shape(each)] : shape(each));
  if (schema.enum) return [code(schema.enum.map((word) => JSON.stringify(word)).join(" | "))];
  if ("const" in schema) return [code(JSON.stringify(schema.const))];
  if (schema.type === "array") return ["list of ", ...shape(schema.items)];
  if (schema.type === "object" && schema.properties) return [fields(schema)];
  if (schema.type === "object") return ["object of ", ...shape(schema.additionalProperties)];
  const limits = ["format", "pattern", "minimum", "maximum", "maxLength", "default"]
    .filter((name) => name in schema).map((name) => `${name} ${JSON.stringify(schema[name])}`);
  return [code([schema.type, ...limits].join(", "))];
}

function fields(schema) {
  const needed = new Set(schema.required ?? []);
  return element("dl", {}, ...Object.entries(schema.properties).flatMap(([name, each]) => [
    element("dt", {}, code(name), needed.has(name) ? "" : " (may be left out)"),
    element("dd", {}, ...shape(each), each.description ? `: ${each.description}` : ""),
  ]));
}

function parameters(operation) {
  return operation.parameters.map((each) => element("p", {},
    code(each.name), ` in the ${each.in}${each.required ? "" : ", may be left out"}: `,
    ...shape(each.schema), each.description ? `: ${each.description}` : ""));
}

function answer(status, told) {
  const content = Object.entries(told.content ?? {}).flatMap(([type, { schema }]) =>
    [` ${type} `, ...(schema ? shape(schema) : [])]);
  const codes = told.description.split("\n").filter((line) => line.startsWith("* "));
  return element("div", {}, element("p", {}, code(status), ...content),
    ...(codes.length ? [element("ul", {}, ...codes.map((line) =>
      element("li", { textContent: line.slice(2).replaceAll("`", "") })))] : []));
}

function route(path, method, operation) {
  const body = Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) =>
    element("p", {}, `takes ${type} `, ...shape(schema)));
  const made = element("details", { id: operation.operationId },
    element("summary", {}, code(`${method.toUpperCase()} ${path}`), ` ${operation.summary}`),
    element("p", { textContent: (operation.description ?? "For everybody.").replaceAll("`", "") }),
    ...parameters(operation), ...body,
    ...Object.entries(operation.responses).map(([status, told]) => answer(status, told)));
  made.dataset.words = `${method} ${path} ${operation.summary}`.toLowerCase();
  return made;
}

function draw(api) {
  $("about").textContent = api.info.description;
  for (const { name } of api.tags) {
    const routes = Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods)
      .filter(([, operation]) => operation.tags[0] === name)
      .map(([method, operation]) => route(path, method, operation)));
    $("routes").append(element("section", {}, element("h2", { textContent: name }), ...routes));
  }
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    $("shapes").append(element("section", { id: name }, element("h3", { textContent: name }),
      element("p", { textContent: schema.description ?? "" }), ...shape(schema)));
  }
  $("wanted").addEventListener("input", ({ target }) => {
    const wanted = target.value.trim().toLowerCase();
    for (const each of document.querySelectorAll("details")) {
      each.hidden = !each.dataset.words.includes(wanted);
    }
  });
}

const response = await fetch("/api/v1/openapi.json", { signal: AbortSignal.timeout(10_000) });
draw(await response.json());
