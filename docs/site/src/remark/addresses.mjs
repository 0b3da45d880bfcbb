// Leaves addresses that are only patterns (http://host:port) as text: Markdown takes them for links.

export default function patternsAsText() {
  return (tree) => {
    const walk = (parent) => {
      parent.children?.forEach((node, index) => {
        if (node.type === "link" && /^https?:/.test(node.url) && !URL.canParse(node.url)) {
          parent.children[index] = { type: "inlineCode", value: node.url };
        } else {
          walk(node);
        }
      });
    };
    walk(tree);
  };
}
