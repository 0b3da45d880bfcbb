/** JSON as one reads it: keys, texts and numbers told apart. */
import { Copy } from "./basics";

type Piece = [kind: "k" | "s" | "n" | "", text: string];

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/g;

/** The pieces of a JSON text by their kind; nothing is added and nothing lost. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let last = 0;
  for (const match of text.matchAll(TOKENS)) {
    if (match.index > last) pieces.push(["", text.slice(last, match.index)]);
    if (match[3] !== undefined) pieces.push(["n", match[3]]);
    else {
      pieces.push([match[2] === undefined ? "s" : "k", match[1]!]);
      if (match[2] !== undefined) pieces.push(["", match[2]]);
    }
    last = match.index + match[0].length;
  }
  if (last < text.length) pieces.push(["", text.slice(last)]);
  return pieces;
}

/** A value as JSON, to be read and copied. */
export function Json({ value, label }: { value: unknown; label: string }) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return (
    <div className="json">
      <Copy text={text} what={label}>
        <span className="sr">Copy</span>
      </Copy>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard */}
      <pre className="code" role="region" tabIndex={0} aria-label={label}>
        {piecesOf(text).map(([kind, piece], index) =>
          kind ? (
            <span key={index} className={kind}>
              {piece}
            </span>
          ) : (
            piece
          ),
        )}
      </pre>
    </div>
  );
}
