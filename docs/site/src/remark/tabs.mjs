// Turns each block of `http` into tabs, the same call in every language, and heads what is part of an answer.

import { LANGUAGES, parseRequest } from "./request.mjs";

const attribute = (name, value) => ({ type: "mdxJsxAttribute", name, value });

const element = (name, attributes, children) => ({ type: "mdxJsxFlowElement", name, attributes, children });

function tabs(request) {
  const items = LANGUAGES.map(({ name, label, code, render }) =>
    element("TabItem", [attribute("value", name), attribute("label", label)], [
      { type: "code", lang: code, value: render(request) },
    ]),
  );
  return element("div", [attribute("className", "languages")], [element("Tabs", [attribute("groupId", "language")], items)]);
}

export default function requestTabs() {
  return (tree, file) => {
    const walk = (parent) => {
      parent.children?.forEach((node, index) => {
        if (node.type !== "code") return walk(node);
        if (/^answer\b/.test(node.meta ?? "")) node.meta = 'title="Answer, in part"';
        if (node.lang !== "http") return undefined;
        try {
          parent.children[index] = tabs(parseRequest(node.value, node.meta ?? ""));
        } catch (error) {
          throw new Error(`${file.path}:${node.position?.start.line}: ${error.message}`);
        }
      });
    };
    walk(tree);
  };
}
