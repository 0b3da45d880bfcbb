import type { Option } from "@/ui/fields";

/** Countries by their two letters. */
export function countries(locale = "en"): Option[] {
  const names = new Intl.DisplayNames(locale, { type: "region" });
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
