import en, { type Texts } from "./en";

const CATALOGS: Record<string, () => Promise<{ default: Texts }>> = {
  de: () => import("./de"),
  es: () => import("./es"),
  fr: () => import("./fr"),
  it: () => import("./it"),
  ja: () => import("./ja"),
  nb: () => import("./nb"),
  "pt-BR": () => import("./pt-BR"),
  sv: () => import("./sv"),
  "zh-TW": () => import("./zh-TW"),
};

/** The languages that the portal speaks, each by its own name. */
export const LANGUAGES: readonly [locale: string, name: string][] = [
  ["en", "English"],
  ["de", "Deutsch"],
  ["es", "Español"],
  ["fr", "Français"],
  ["it", "Italiano"],
  ["ja", "日本語"],
  ["nb", "Norsk bokmål"],
  ["pt-BR", "Português (Brasil)"],
  ["sv", "Svenska"],
  ["zh-TW", "繁體中文"],
];

/** The language for a locale: itself, that of its first part ("de-CH" is German), else English. */
export function languageFor(locale: string): string {
  if (locale in CATALOGS) return locale;
  const [first] = locale.split("-");
  if (first === "pt") return "pt-BR";
  if (first === "no" || first === "nn") return "nb";
  return first && first in CATALOGS ? first : "en";
}

/** What the portal says in a language. */
export async function loadTexts(language: string): Promise<Texts> {
  const load = CATALOGS[language];
  return load ? (await load()).default : en;
}

export type { Texts };
