/** A simulated organization wears its clock on every page, and can be moved on from there. */

import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { FastForward, FlaskConical } from "lucide-react";
import { useState } from "react";
import { useChange } from "@/api/client";
import { moment } from "@/lib/dates";
import { Button } from "@/ui/basics";
import { paths } from "./paths";
import { useCan, useOrganization } from "./session";

const STEPS: [label: string, move: (from: Date) => Date][] = [
  ["+1 day", (from) => new Date(from.getTime() + 86_400_000)],
  ["+1 month", addMonth],
];

export function ClockBanner() {
  const { test_clock, timezone } = useOrganization();
  if (!test_clock) return null;
  return <Banner now={test_clock} zone={timezone} />;
}

function Banner({ now, zone }: { now: string; zone: string }) {
  const queries = useQueryClient();
  const can = useCan();
  const [moving, setMoving] = useState<string | null>(null);
  const advance = useChange("post", "/api/v1/test_clock/advance", {
    done: ({ test_clock }) => `It is ${moment(test_clock.frozen_time, zone)} now`,
    onDone: () => void queries.invalidateQueries({ queryKey: ["session"] }),
  });
  const move = (label: string, to: Date) => {
    setMoving(label);
    advance.mutate({ body: { test_clock: { to: to.toISOString() } } }, { onSettled: () => setMoving(null) });
  };
  return (
    <div className="clock">
      <FlaskConical className="i" aria-hidden="true" />
      <span>
        <b className="med">Simulated time</b> <span className="note num">{moment(now, zone)}</span>
      </span>
      <span className="row" style={{ marginLeft: "auto" }}>
        {can("organization:update") &&
          STEPS.map(([label, next]) => (
            <Button
              key={label}
              size="sm"
              isBusy={moving === label}
              disabled={moving !== null}
              onClick={() => move(label, next(new Date(now)))}
            >
              {label}
            </Button>
          ))}
        <Link to={paths.clock()} className="btn btn-sm btn-sim">
          <FastForward className="i" aria-hidden="true" />
          Time travel
        </Link>
      </span>
    </div>
  );
}

/** The same day of the next month, or its last where it is shorter. */
export function addMonth(from: Date): Date {
  const next = new Date(from);
  const wanted = from.getUTCDate();
  next.setUTCDate(1);
  next.setUTCMonth(next.getUTCMonth() + 1);
  const last = new Date(Date.UTC(next.getUTCFullYear(), next.getUTCMonth() + 1, 0)).getUTCDate();
  next.setUTCDate(Math.min(wanted, last));
  return next;
}
