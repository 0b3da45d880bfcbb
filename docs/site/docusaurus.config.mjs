// The documentation site: the guide, the API reference, and the pages of docs/ for those who run Tallymark.
//
// SITE_URL and SITE_BASE_URL say where it will be served from (`https://docs.example.com`, `/`); REPOSITORY_URL is where
// links to the source lead; with ALGOLIA_APP_ID, ALGOLIA_API_KEY and ALGOLIA_INDEX_NAME the search bar asks Algolia.

import patternsAsText from "./src/remark/addresses.mjs";
import requestTabs from "./src/remark/tabs.mjs";
import { REPOSITORY } from "./src/repository.mjs";

const env = process.env;
const url = env.SITE_URL || "https://docs.tallymark.example";
const baseUrl = env.SITE_BASE_URL || "/";
const algolia = env.ALGOLIA_APP_ID && {
  appId: env.ALGOLIA_APP_ID,
  apiKey: env.ALGOLIA_API_KEY,
  indexName: env.ALGOLIA_INDEX_NAME,
  contextualSearch: false,
};

/** Code in the tokens' colours, which follow the theme by themselves. */
const code = {
  plain: { color: "var(--ink)", backgroundColor: "var(--sunken)" },
  styles: [
    { types: ["comment", "prolog"], style: { color: "var(--code-dim)" } },
    { types: ["string", "char", "attr-value", "regex"], style: { color: "var(--code-str)" } },
    { types: ["number", "boolean", "constant", "symbol"], style: { color: "var(--code-num)" } },
    { types: ["property", "keyword", "builtin", "class-name", "tag", "key"], style: { color: "var(--code-key)" } },
    { types: ["punctuation", "operator"], style: { color: "var(--ink-2)" } },
  ],
};

const docs = (id, options) => [
  "@docusaurus/plugin-content-docs",
  { id, breadcrumbs: true, numberPrefixParser: false, beforeDefaultRemarkPlugins: [requestTabs, patternsAsText], ...options },
];

export default {
  title: "Tallymark",
  tagline: "Metering and usage-based billing",
  favicon: "img/icon.svg",
  url,
  baseUrl,
  trailingSlash: true,
  staticDirectories: ["static", "build/static"],
  onBrokenLinks: "throw",
  onBrokenAnchors: "throw",
  onDuplicateRoutes: "throw",
  future: { v4: true, faster: true },
  markdown: { format: "detect", mdx1Compat: { headingIds: true, comments: false, admonitions: false }, hooks: { onBrokenMarkdownLinks: "throw", onBrokenMarkdownImages: "throw" } },
  plugins: [
    docs("default", { path: "guide", routeBasePath: "/", sidebarPath: "./sidebars/guide.mjs" }),
    docs("reference", { path: "build/reference", routeBasePath: "reference", sidebarPath: "./build/reference-sidebar.mjs" }),
    docs("hosting", { path: "build/hosting", routeBasePath: "self-hosting", sidebarPath: "./sidebars/hosting.mjs" }),
    "@docusaurus/plugin-sitemap",
  ],
  themes: [
    ["@docusaurus/theme-classic", { customCss: ["../../web/src/styles/tokens.css", "./src/css/site.css"] }],
    algolia
      ? "@docusaurus/theme-search-algolia"
      : [
          "@easyops-cn/docusaurus-search-local",
          {
            hashed: true,
            indexBlog: false,
            docsDir: ["guide", "build/reference", "build/hosting"],
            docsRouteBasePath: ["/", "reference", "self-hosting"],
            docsPluginIdForPreferredVersion: "default",
            explicitSearchResultPath: true,
            highlightSearchTermsOnTargetPage: true,
            searchBarShortcutHint: true,
            ignoreCssSelectors: [".languages"],
          },
        ],
  ],
  themeConfig: {
    ...(algolia && { algolia }),
    colorMode: { respectPrefersColorScheme: true },
    docs: { sidebar: { hideable: true } },
    navbar: {
      title: "Tallymark",
      logo: { alt: "", src: "img/icon.svg" },
      hideOnScroll: false,
      items: [
        { type: "docSidebar", sidebarId: "guide", label: "Guide" },
        { type: "docSidebar", docsPluginId: "reference", sidebarId: "reference", label: "API reference" },
        { type: "docSidebar", docsPluginId: "hosting", sidebarId: "hosting", label: "Self-hosting" },
        { to: "/self-hosting/changelog", label: "Changelog" },
        { type: "search", position: "right" },
      ],
    },
    footer: { copyright: `Tallymark is open source under the Apache License 2.0. <a href="${REPOSITORY}">Source</a>` },
    prism: { theme: code, darkTheme: code, additionalLanguages: ["bash", "ruby", "json", "toml"] },
    tableOfContents: { minHeadingLevel: 2, maxHeadingLevel: 3 },
  },
};
