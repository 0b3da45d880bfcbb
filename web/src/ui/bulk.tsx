/** One act on all rows that a list shows: asked for once, done one after the other, what failed counted. */
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { refresh, refreshLater } from "@/api/client";
import { explain } from "@/api/errors";
import { countWords } from "@/lib/words";
import { Button } from "./basics";
import { Confirm } from "./overlays";
import { notify } from "./toasts";

const MOST_AT_ONCE = 50;

interface BulkProps {
  /** The verb of the button: "Send again". */
  verb: string;
  /** What one of them is: "delivery". */
  noun: string;
  ids: readonly string[];
  act: (id: string) => Promise<unknown>;
  /** Paths whose reads are out of date afterwards. */
  touches: string[];
  /** What is said of as many as are done, "3 deliveries": else the verb and how many, or how many failed. */
  done?: (count: string) => string;
  /** It goes on after the answers. */
  isSlow?: boolean;
  /** The consequence, in the dialog that asks. */
  children: ReactNode;
}

export function Bulk({ verb, noun, ids, act, touches, done: doneWords, isSlow, children }: BulkProps) {
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const [done, setDone] = useState<number | null>(null);
  const chosen = ids.slice(0, MOST_AT_ONCE);
  const count = countWords(chosen.length, noun);
  const run = async () => {
    let failed = 0;
    let reason: unknown;
    for (const [index, id] of chosen.entries()) {
      setDone(index);
      try {
        await act(id);
      } catch (refused) {
        failed += 1;
        reason ??= refused;
      }
    }
    setDone(null);
    setAsking(false);
    await refresh(queries, touches);
    if (isSlow) refreshLater(queries, touches);
    if (failed === 0) notify.done(doneWords ? doneWords(count) : `${verb}: ${count}`);
    else {
      const part = doneWords?.(`${(chosen.length - failed).toLocaleString()} of ${count}`);
      notify.failed(`${part ?? `${failed.toLocaleString()} of ${count} failed`}. ${explain(reason)}`);
    }
  };
  return (
    <>
      <Button size="sm" onClick={() => setAsking(true)}>
        {verb} {chosen.length.toLocaleString()}
      </Button>
      <Confirm
        title={`${verb}: the ${count} shown here?`}
        verb={done === null ? verb : `${done + 1} of ${chosen.length}`}
        keep="Leave them"
        look="primary"
        isOpen={isAsking}
        isBusy={done !== null}
        onClose={() => done === null && setAsking(false)}
        onConfirm={() => void run()}
      >
        {children}
      </Confirm>
    </>
  );
}
