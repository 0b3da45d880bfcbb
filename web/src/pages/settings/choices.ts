/** What settings choose from. */
import type { Option } from "@/ui/fields";

/** Currencies that documents and customers may have, by code and name. */
export function currencies(): Option[] {
  const names = new Intl.DisplayNames("en", { type: "currency" });
  return Intl.supportedValuesOf("currency").map((code) => ({
    value: code,
    label: `${code} ${names.of(code) ?? ""}`,
  }));
}

export function zones(): Option[] {
  const known = Intl.supportedValuesOf("timeZone");
  return (known.includes("UTC") ? known : ["UTC", ...known]).map((zone) => ({
    value: zone,
    label: zone.replaceAll("_", " "),
  }));
}

const LANGUAGES = ["en", "de", "es", "fr", "it", "ja", "nb", "pt-BR", "sv", "zh-TW"];

export function languages(): Option[] {
  return LANGUAGES.map((code) => {
    const own = new Intl.DisplayNames(code, { type: "language" }).of(code) ?? code;
    return { value: code, label: own.charAt(0).toUpperCase() + own.slice(1) };
  });
}

export const NUMBERINGS: Option[] = [
  { value: "per_customer", label: "Each customer has its own sequence" },
  { value: "per_billing_entity", label: "One sequence for the entity" },
];

/** The next number of a document, as its prefix and numbering make it (ui §11.5). */
export function numberPreview(prefix: string, numbering: string, now: Date): string {
  if (numbering === "per_customer") return `${prefix}-001-001`;
  const month = `${now.getUTCFullYear()}${String(now.getUTCMonth() + 1).padStart(2, "0")}`;
  return `${prefix}-${month}-001`;
}
