// What pages may use without importing it.

import MDXComponents from "@theme-original/MDXComponents";
import TabItem from "@theme/TabItem";
import Tabs from "@theme/Tabs";

export default { ...MDXComponents, Tabs, TabItem };
