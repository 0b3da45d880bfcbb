/** What a change ended in: one line at the foot of the page, gone by itself. */
import { CircleCheck, CircleX, Copy } from "lucide-react";
import { useSyncExternalStore } from "react";

interface Toast {
  id: number;
  kind: "done" | "failed" | "copied";
  text: string;
  action?: { label: string; act: () => void };
}

const STAYS_MS = { done: 5000, copied: 2500, failed: 9000 };

let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function show(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function add(kind: Toast["kind"], text: string, action?: Toast["action"]): void {
  last += 1;
  const id = last;
  show([...toasts.slice(-2), { id, kind, text, action }]);
  setTimeout(() => dismiss(id), STAYS_MS[kind]);
}

function dismiss(id: number): void {
  show(toasts.filter((toast) => toast.id !== id));
}

export const notify = {
  done: (text: string, action?: Toast["action"]) => add("done", text, action),
  failed: (text: string, action?: Toast["action"]) => add("failed", text, action),
  copied: (what: string) => add("copied", `Copied ${what}`),
};

const ICONS = { done: CircleCheck, failed: CircleX, copied: Copy };

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Where the toasts stand; once, at the root. */
export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, kind, text, action }) => {
        const Icon = ICONS[kind];
        return (
          <div className="toast" data-s={kind === "failed" ? "bad" : "ok"} key={id}>
            <Icon className="i" aria-hidden="true" />
            <span>{text}</span>
            {action && (
              <button
                type="button"
                className="btn btn-ghost btn-sm"
                onClick={() => {
                  dismiss(id);
                  action.act();
                }}
              >
                {action.label}
              </button>
            )}
          </div>
        );
      })}
    </div>
  );
}
