/** Figures and the wire's names in running text. */

/** A number with its noun: "1 plan", "1,204 plans", "2 deliveries", "3 addresses". */
export function countWords(number: number, noun: string): string {
  const all = /[^aeiou]y$/.test(noun)
    ? `${noun.slice(0, -1)}ies`
    : /s$/.test(noun)
      ? `${noun}es`
      : `${noun}s`;
  return `${number.toLocaleString()} ${number === 1 ? noun : all}`;
}

/** With its first letter large: "Admin". */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a type of the wire says: "invoice.payment_status_updated" is "Invoice payment status updated". */
export function typeWords(type: string): string {
  const words = type
    .replace(/^billing_entities\b/, "billing_entity")
    .replace(/^api_key\b/, "API_key")
    .replaceAll(/[._]/g, " ");
  return capital(words);
}

/** What people call an API key: its name, else the end of its value as far as that is kept. */
export function keyWords({ name, ending }: { name: string | null; ending: string | null }): string {
  if (name) return name;
  return ending ? `Unnamed key …${ending}` : "Unnamed key";
}
