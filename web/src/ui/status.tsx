/** Status: the glyph's shape says it first, the word second, the colour third. */

export type Tone = "ok" | "warn" | "bad" | "wait" | "idle" | "info" | "sim";
export type Glyph = "draft" | "clock" | "half" | "check" | "triangle" | "alert" | "square" | "struck";

interface Look {
  tone: Tone;
  glyph: Glyph;
  word: string;
}

const look = (tone: Tone, glyph: Glyph, word: string): Look => ({ tone, glyph, word });

/** Statuses of the wire, by their word there. */
const LOOKS: Record<string, Look> = {
  active: look("ok", "check", "Active"),
  available: look("ok", "check", "Available"),
  succeeded: look("ok", "check", "Paid"),
  paid: look("ok", "check", "Paid"),
  finalized: look("ok", "check", "Finalized"),
  settled: look("ok", "check", "Settled"),
  completed: look("ok", "check", "Done"),
  applied: look("ok", "check", "Applied"),
  accepted: look("ok", "check", "Accepted"),
  delivered: look("ok", "check", "Delivered"),
  refunded: look("ok", "check", "Refunded"),
  draft: look("idle", "draft", "Draft"),
  pending: look("wait", "clock", "Pending"),
  processing: look("wait", "clock", "Processing"),
  retrying: look("warn", "clock", "Retrying"),
  incomplete: look("warn", "half", "Incomplete"),
  partially_paid: look("warn", "half", "Partly paid"),
  failed: look("warn", "triangle", "Failed"),
  overdue: look("bad", "alert", "Overdue"),
  disputed: look("bad", "alert", "Disputed"),
  terminated: look("idle", "square", "Terminated"),
  consumed: look("idle", "square", "Consumed"),
  expired: look("idle", "square", "Expired"),
  closed: look("idle", "square", "Closed"),
  canceled: look("idle", "struck", "Canceled"),
  voided: look("idle", "struck", "Voided"),
  revoked: look("idle", "struck", "Revoked"),
};

/** How a status looks; one without a look of its own is idle, in its own word. */
export function lookOf(status: string): Look {
  const word = status.replaceAll("_", " ");
  return LOOKS[status] ?? look("idle", "draft", (word[0] ?? "").toUpperCase() + word.slice(1));
}

interface StatusProps {
  status: string;
  /** Instead of the status's own word: "Payment pending". */
  word?: string;
  /** A tinted pill, for heads of pages only. */
  isTint?: boolean;
  tone?: Tone;
  glyph?: Glyph;
}

export function Status({ status, word, isTint, tone, glyph }: StatusProps) {
  const found = lookOf(status);
  const shownTone = tone ?? found.tone;
  const isLoud = shownTone === "bad" || shownTone === "warn";
  return (
    <span className={`st${isTint ? " tint" : ""}${isLoud && !isTint ? " loud" : ""}`} data-s={shownTone}>
      <GlyphMark glyph={glyph ?? found.glyph} />
      {word ?? found.word}
    </span>
  );
}

export function GlyphMark({ glyph }: { glyph: Glyph }) {
  return (
    <svg viewBox="0 0 10 10" aria-hidden="true">
      {GLYPHS[glyph]}
    </svg>
  );
}

const ring = { fill: "none", stroke: "currentColor", strokeWidth: 1.5 };
const white = { fill: "none", stroke: "var(--surface)", strokeWidth: 1.4, strokeLinecap: "round" } as const;

const GLYPHS: Record<Glyph, React.ReactNode> = {
  draft: <circle cx="5" cy="5" r="4.2" {...ring} strokeDasharray="2 1.3" />,
  clock: (
    <>
      <circle cx="5" cy="5" r="4.2" {...ring} />
      <path d="M5 2.8V5l1.5 1" {...ring} strokeWidth="1.2" strokeLinecap="round" />
    </>
  ),
  half: (
    <>
      <circle cx="5" cy="5" r="4.2" {...ring} />
      <path d="M5 1.4a3.6 3.6 0 0 0 0 7.2Z" fill="currentColor" />
    </>
  ),
  check: (
    <>
      <circle cx="5" cy="5" r="5" fill="currentColor" />
      <path d="m2.9 5.2 1.5 1.5 2.8-3.1" {...white} />
    </>
  ),
  triangle: (
    <>
      <path d="M5 .6 9.8 9.2H.2Z" fill="currentColor" strokeLinejoin="round" />
      <path d="M5 3.6v2.3M5 7.6v.1" {...white} strokeWidth="1.2" />
    </>
  ),
  alert: (
    <>
      <circle cx="5" cy="5" r="5" fill="currentColor" />
      <path d="M5 2.4v3M5 7.5v.1" {...white} />
    </>
  ),
  square: <rect x="1" y="1" width="8" height="8" rx="1.5" fill="currentColor" />,
  struck: (
    <>
      <circle cx="5" cy="5" r="4.2" {...ring} />
      <path d="M2.2 7.8 7.8 2.2" {...ring} />
    </>
  ),
};
