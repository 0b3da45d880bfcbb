/** Countries, currencies, time zones and languages, as somebody chooses from them: in the reader's language. */
import type { Option } from "@/ui/fields";
import { readersLocale } from "./money";

/** Countries by their two letters. */
export function countries(locale = readersLocale()): Option[] {
  const names = new Intl.DisplayNames([locale, "en"], { type: "region" });
  const found: Option[] = [];
  for (let one = 65; one <= 90; one++) {
    for (let other = 65; other <= 90; other++) {
      const code = String.fromCharCode(one, other);
      const name = names.of(code);
      if (name && name !== code && !NO_COUNTRIES.has(code)) found.push({ value: code, label: name });
    }
  }
  return found.sort((one, other) => one.label.localeCompare(other.label, locale));
}

const NO_COUNTRIES = new Set(
  "AC BU CP CQ CS DD DG DY EA EU EZ FX HV IC NH NT QO RH SU TA TP UK UN VD XA XB XK YD YU ZR ZZ".split(" "),
);

/** All that the browser knows and the server bills in; it refuses the few that it does not. */
export function currencies(): Option[] {
  const names = new Intl.DisplayNames([readersLocale(), "en"], { type: "currency" });
  return Intl.supportedValuesOf("currency").map((code) => ({
    value: code,
    label: `${code}, ${names.of(code) ?? code}`,
  }));
}

export function zones(): Option[] {
  const known = Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC");
  return ["UTC", ...known].map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") }));
}

/** Languages that documents can be in (platform §1). */
const LANGUAGES = ["en", "de", "es", "fr", "it", "ja", "nb", "pt-BR", "sv", "zh-TW"];

/** Those languages, each by its own name. */
export function languages(): Option[] {
  return LANGUAGES.map((code) => ({ value: code, label: languageName(code) }));
}

/** What a language calls itself. */
export function languageName(locale: string): string {
  const own = new Intl.DisplayNames([locale, "en"], { type: "language" }).of(locale) ?? locale;
  return own.charAt(0).toUpperCase() + own.slice(1);
}
