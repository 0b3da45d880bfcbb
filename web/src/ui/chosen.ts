/** Choices that are saved as they are made. */
import { useRef, useState } from "react";

/**
 * What is chosen, and the way to change it: shown at once, sent one after the other, and as the server has it where it refuses.
 * For what moves no money: what is foreseen may be taken back.
 */
export function useChosen(
  saved: readonly string[],
  send: (chosen: string[]) => Promise<unknown>,
): [chosen: readonly string[], choose: (one: string, isOn: boolean) => void] {
  const [foreseen, setForeseen] = useState<readonly string[] | null>(null);
  const before = useRef<Promise<unknown>>(Promise.resolve());
  const newest = useRef(0);
  const chosen = foreseen ?? saved;
  const choose = (one: string, isOn: boolean) => {
    const others = chosen.filter((other) => other !== one);
    const next = isOn ? [...others, one] : others;
    setForeseen(next);
    newest.current += 1;
    const turn = newest.current;
    before.current = before.current
      .then(() => send(next))
      .catch(() => undefined) // told by the change itself
      .then(() => {
        if (turn === newest.current) setForeseen(null);
      });
  };
  return [chosen, choose];
}
