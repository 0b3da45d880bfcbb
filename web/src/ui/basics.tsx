/** The smallest parts: buttons, marks, copies, facts. */
import { Check, Copy as CopyIcon } from "lucide-react";
import { type ComponentProps, type ReactNode, useState } from "react";
import { notify } from "./toasts";

export type { LucideIcon } from "lucide-react";

type Look = "plain" | "primary" | "danger" | "ghost" | "sim";

export interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  size?: "sm" | "md" | "lg";
  /** Only an icon inside; give `aria-label`. */
  isIcon?: boolean;
  isBusy?: boolean;
}

export function buttonClass({ look = "plain", size = "md", isIcon = false }: ButtonProps = {}): string {
  const parts = [
    "btn",
    look !== "plain" && `btn-${look}`,
    size !== "md" && `btn-${size}`,
    isIcon && "btn-icon",
  ];
  return parts.filter(Boolean).join(" ");
}

export function Button({
  look,
  size,
  isIcon,
  isBusy,
  children,
  className = "",
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      className={`${buttonClass({ look, size, isIcon })} ${className}`}
      disabled={disabled || isBusy}
      aria-busy={isBusy || undefined}
      {...rest}
    >
      {isBusy && <span className="spin" aria-hidden="true" />}
      {children}
    </button>
  );
}

/** Copies a text to the clipboard: `<Copy text="cus_1" what="external ID" />`. */
export function Copy({ text, what, children }: { text: string; what: string; children?: ReactNode }) {
  const [isDone, setDone] = useState(false);
  const Icon = isDone ? Check : CopyIcon;
  return (
    <button
      type="button"
      className="copy id"
      title={`Copy ${what}`}
      aria-label={`Copy ${what} ${text}`}
      onClick={async (event) => {
        event.stopPropagation();
        event.preventDefault();
        await navigator.clipboard.writeText(text);
        notify.copied(text.length > 40 ? what : text);
        setDone(true);
        setTimeout(() => setDone(false), 1500);
      }}
    >
      {children ?? text}
      <Icon className="i" aria-hidden="true" />
    </button>
  );
}

/** Two letters in a square: customers and organizations. */
export function Monogram({ name, isLarge }: { name: string; isLarge?: boolean }) {
  return (
    <span className={isLarge ? "mono-mark lg" : "mono-mark"} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

/** "Kessler Logistik GmbH" is KL. */
export function initials(name: string): string {
  const words = name.split(/[\s\-_.@]+/).filter(Boolean);
  const letters =
    words.length > 1 ? words[0]!.slice(0, 1) + words[1]!.slice(0, 1) : (words[0] ?? "?").slice(0, 2);
  return letters.toUpperCase();
}

/** Names and values, one a line; a value that is nothing is "–". */
export function Facts({ facts, isTight }: { facts: [name: string, value: ReactNode][]; isTight?: boolean }) {
  return (
    <dl className={isTight ? "kv tight" : "kv"}>
      {facts.map(([name, value]) => (
        <Fact key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function Fact({ name, value }: { name: string; value: ReactNode }) {
  const isNothing = value === null || value === undefined || value === "" || value === false;
  return (
    <>
      <dt>{name}</dt>
      <dd>{isNothing ? <span className="dim">–</span> : value}</dd>
    </>
  );
}

/** Headline figures side by side. */
export function Stats({ children }: { children: ReactNode }) {
  return <div className="stats">{children}</div>;
}

export function Stat({ name, value, detail }: { name: ReactNode; value: ReactNode; detail?: ReactNode }) {
  return (
    <div className="stat">
      <div className="k">{name}</div>
      <div className="v">{value}</div>
      {detail !== undefined && <div className="d">{detail}</div>}
    </div>
  );
}

/** How much of something is used: a bar, with the figure in words beside or below it. */
export function Meter({ share, label }: { share: number; label: string }) {
  const clamped = Math.min(1, Math.max(0, share));
  return (
    <div
      className="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(clamped * 100)}
    >
      <i style={{ width: `${clamped * 100}%` }} />
    </div>
  );
}

/** A typeset fraction: 20 over 31. */
export function Frac({ over, under }: { over: ReactNode; under: ReactNode }) {
  return (
    <span className="frac">
      <span>{over}</span>
      <span>
        <span className="sr"> over </span>
        {under}
      </span>
    </span>
  );
}

/** The mark: strokes that count something real, of five. */
export function Tally({ count, size = 34 }: { count: number; size?: number }) {
  const strokes = ["M6 5v18", "M12 5v18", "M18 5v18", "M24 5v18", "M2 21 28 7"];
  return (
    <svg className="tally" width={size} height={size * 0.8} viewBox="0 0 30 28" aria-hidden="true">
      {strokes.map((stroke, index) => (
        <path key={stroke} d={stroke} className={index < count ? "on" : undefined} />
      ))}
    </svg>
  );
}

/** A section of a page with its title and what can be done with it. */
export function Section({
  title,
  meta,
  actions,
  children,
}: {
  title: ReactNode;
  meta?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="sec">
      <div className="sec-head">
        <h2>{title}</h2>
        {meta && <span className="meta">{meta}</span>}
        {actions && <div className="actions">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

type BannerLook = "info" | "ok" | "warn" | "bad" | "sim";

export function Banner({
  look = "info",
  icon,
  actions,
  children,
}: {
  look?: BannerLook;
  icon?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className={`banner ${look}`} role={look === "bad" ? "alert" : undefined}>
      {icon}
      <div className="grow">{children}</div>
      {actions && <div className="actions">{actions}</div>}
    </div>
  );
}
