/** How the documents of a billing entity are numbered. */
import type { Option } from "@/ui/fields";

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
