/** A price in full, a line a tier or a rule. */
export function PriceList({
  title,
  note,
  lines,
}: {
  title: string;
  note?: string | undefined;
  lines: readonly string[];
}) {
  return (
    <div>
      <h3>
        {title} {note && <span className="dim small">{note}</span>}
      </h3>
      <ul className="ink2 num">
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </div>
  );
}

/** The values that a price of its own is for: "region ap, us". */
export function filterWords(values: Record<string, string[]>): string {
  return Object.entries(values)
    .map(([key, listed]) => `${key} ${listed.includes("__ALL_FILTER_VALUES__") ? "any" : listed.join(", ")}`)
    .join(" · ");
}
