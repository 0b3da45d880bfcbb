import { useEffect, useState } from "react";

/** A value once it has not changed for a moment (milliseconds), so that typing asks the server once. */
export function useSettled<Value>(value: Value, delay = 250): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const waiting = setTimeout(() => setSettled(value), delay);
    return () => clearTimeout(waiting);
  }, [value, delay]);
  return settled;
}
