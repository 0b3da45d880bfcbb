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

/** The first number of a document, as its prefix and numbering make it: of the day, `2025-03-09`, by the entity's calendar (ui §11.5). */
export function numberPreview(prefix: string, numbering: string, today: string): string {
  const kept = prefix.trim().toUpperCase();
  if (numbering === "per_customer") return `${kept}-001-001`;
  return `${kept}-${today.slice(0, 7).replace("-", "")}-001`;
}
