import { useQuery, useQueryClient } from "@tanstack/react-query";
import { FastForward } from "lucide-react";
import { type FormEvent, useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { explainRead } from "@/api/errors";
import { sessionQuery, useCan, useOrganization } from "@/app/session";
import { day, isoDay, moment, month, clock as timeOf } from "@/lib/dates";
import { typeWords } from "@/lib/words";
import { Banner, Button, Section, Tally } from "@/ui/basics";
import { Field, TextInput } from "@/ui/fields";
import { FieldRow } from "@/ui/form";
import { Page, PageHead } from "@/ui/page";
import { Empty, Loaded, Skeleton } from "@/ui/states";
import { daysAhead, PRESETS, placeOf, yearAround } from "./moves";
import "./clock.css";

type Planned = Schema<"PlannedOutput">;
type Activity = Schema<"ActivityLogOutput">;

const WORDS: Record<string, string> = {
  activate_subscription: "Subscriptions start",
  terminate_subscription: "Subscriptions end",
  switch_plan: "Plans change",
  end_trial: "Trials end",
  bill_period: "Subscriptions renew",
  finalize_invoice: "Drafts become final",
  expire_wallet: "Wallets expire",
  top_up_wallet: "Wallets are topped up",
  expire_coupon: "Coupons expire",
  mark_overdue: "Invoices fall due",
  dun_customer: "Customers are asked again for what is overdue",
  alert_termination: "Ends are announced",
};

export function TestClock() {
  const organization = useOrganization();
  if (!organization.test_clock) {
    return (
      <Page title="Test clock">
        <Empty title="This organization lives in real time">
          An organization with a clock of its own is made by{" "}
          <code className="mono">POST /admin/organizations</code> with a{" "}
          <code className="mono">test_clock</code>: a year of billing then takes seconds.
        </Empty>
      </Page>
    );
  }
  return <Travel now={organization.test_clock} zone={organization.timezone} />;
}

function Travel({ now, zone }: { now: string; zone: string }) {
  const here = new Date(now);
  const year = yearAround(here);
  const planned = useQuery(
    read("/app/v1/test_clock/planned", { params: { query: { until: year.to.toISOString() } } }),
  );
  const [since, setSince] = useState<string | null>(null);
  const can = useCan();
  return (
    <Page title="Test clock" isHeading={false}>
      <PageHead title="Test clock" sub="Play a year of billing in seconds, then read what it did." />
      <Scrubber now={here} planned={planned.data?.planned ?? []} />
      <div className="clock-cols">
        {can("audit_logs:view") ? <Happened since={since} now={now} zone={zone} /> : <div />}
        {can("organization:update") && (
          <Advance
            now={here}
            zone={zone}
            planned={planned.data?.planned ?? []}
            query={planned}
            onLeave={() => setSince(now)}
          />
        )}
      </div>
    </Page>
  );
}

function Scrubber({ now, planned }: { now: Date; planned: readonly Planned[] }) {
  const { from, to, months } = yearAround(now);
  const at = placeOf(now, from, to);
  const byDay = Map.groupBy(planned, (one) => one.date);
  const counts = [...byDay].map(([date, ofDay]): [string, number] => [
    date,
    ofDay.reduce((sum, one) => sum + one.count, 0),
  ]);
  const most = Math.max(1, ...counts.map(([, count]) => count));
  return (
    <div
      className="scrub"
      role="img"
      aria-label={`${counts.length} days with something due in the seven months ahead`}
    >
      <i className="line" />
      <i className="line past" style={{ width: `${at}%` }} />
      {months.map((one) => (
        <span key={one.toISOString()}>
          <i className="tick" style={{ left: `${placeOf(one, from, to)}%` }} />
          <span
            className="m"
            style={{ left: `${placeOf(one, from, to)}%`, ...(one <= from && { transform: "none" }) }}
          >
            {month(one.toISOString(), "UTC", "short")}
          </span>
        </span>
      ))}
      {counts.map(([date, count]) => (
        <i
          key={date}
          className="due"
          style={{
            left: `${placeOf(new Date(`${date}T00:00:00Z`), from, to)}%`,
            height: 5 + (count / most) * 17,
          }}
        />
      ))}
      <span className={at > 85 ? "hand late" : "hand"} style={{ left: `${at}%` }}>
        <b>{day(now.toISOString())}</b>
      </span>
    </div>
  );
}

interface AdvanceProps {
  now: Date;
  zone: string;
  planned: readonly Planned[];
  /** What brings what is planned. */
  query: { error: unknown; isPending: boolean; refetch: () => unknown };
  onLeave: () => void;
}

function Advance({ now, zone, planned, query, onLeave }: AdvanceProps) {
  const queries = useQueryClient();
  const [preset, setPreset] = useState("month");
  const suggested = PRESETS.find((one) => one.key === preset)?.to(now, nextDate(planned, now)) ?? null;
  const [custom, setCustom] = useState<{ date: string; time: string } | null>(null);
  const shown =
    custom ??
    (suggested
      ? { date: isoDay(suggested.toISOString()), time: suggested.toISOString().slice(11, 16) }
      : null);
  const to = shown ? new Date(`${shown.date}T${shown.time || "00:00"}:00Z`) : null;
  const isAhead = to !== null && !Number.isNaN(to.getTime()) && to > now;
  const due = isAhead ? planned.filter((one) => one.date <= isoDay(to.toISOString())) : [];
  const advance = useChange("post", "/api/v1/test_clock/advance", {
    done: ({ test_clock, errors }) =>
      errors?.length
        ? `It is ${moment(test_clock.frozen_time, zone)} now; ${errors.length} things could not be done`
        : `It is ${moment(test_clock.frozen_time, zone)} now`,
    onDone: () => {
      setCustom(null);
      void queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isAhead) return;
    onLeave();
    advance.mutate({ body: { test_clock: { to: to.toISOString() } } });
  };
  return (
    <form className="advance" onSubmit={submit}>
      <div className="top-part">
        <h2>Advance to</h2>
        <div className="presets">
          {PRESETS.map((one) => (
            <Button
              key={one.key}
              size="sm"
              className={!custom && preset === one.key ? "on" : ""}
              aria-pressed={!custom && preset === one.key}
              onClick={() => {
                setPreset(one.key);
                setCustom(null);
              }}
            >
              {one.label}
            </Button>
          ))}
        </div>
        <FieldRow>
          <Field label="Date">
            <TextInput
              type="date"
              value={shown?.date ?? ""}
              onChange={(event) => setCustom({ date: event.target.value, time: shown?.time ?? "00:05" })}
            />
          </Field>
          <Field label="Time, UTC">
            <TextInput
              type="time"
              value={shown?.time ?? ""}
              onChange={(event) => setCustom({ date: shown?.date ?? "", time: event.target.value })}
            />
          </Field>
        </FieldRow>
      </div>
      <div className="planned">
        <b className="med">Planned until then</b>
        {query.error ? (
          <p className="small" role="alert">
            {explainRead(query.error)}{" "}
            <button type="button" className="link" onClick={() => void query.refetch()}>
              Try again
            </button>
          </p>
        ) : query.isPending ? (
          <Skeleton width="70%" />
        ) : due.length === 0 ? (
          <span className="dim">Nothing.</span>
        ) : (
          <ul className="stack">
            {due.slice(0, 9).map((one) => (
              <li key={`${one.date}/${one.work}`}>
                <span>{day(one.date)}</span>
                <span>{WORDS[one.work] ?? one.work}</span>
                <span>{one.count.toLocaleString()}</span>
              </li>
            ))}
            {due.length > 9 && <li className="dim">and on {due.length - 9} more days</li>}
          </ul>
        )}
        <span className="small dim">Periods that follow are planned when theirs begin.</span>
      </div>
      <div className="foot">
        {advance.isPending ? (
          <span className="row" role="status">
            <Tally count={3} size={22} /> Working through it
          </span>
        ) : (
          <span className="small dim">
            {isAhead ? `${daysAhead(now, to)} days forward, no way back` : "Choose a later time"}
          </span>
        )}
        <Button
          look="sim"
          type="submit"
          style={{ marginLeft: "auto" }}
          disabled={!isAhead}
          isBusy={advance.isPending}
        >
          <FastForward className="i" aria-hidden="true" />
          Advance
        </Button>
      </div>
    </form>
  );
}

function nextDate(planned: readonly Planned[], now: Date): string | undefined {
  return planned.find((one) => one.date >= isoDay(now.toISOString()))?.date;
}

function Happened({ since, now, zone }: { since: string | null; now: string; zone: string }) {
  const query = { per_page: "100", ...(since && { from_date: since.slice(0, 10) }) };
  const logs = useQuery(read("/api/v1/activity_logs", { params: { query: query as never } }));
  return (
    <Section title="What happened" meta={since ? `${day(since)} → ${day(now)}` : "lately"}>
      <Loaded query={logs} what="What happened">
        {({ activity_logs: all }) => {
          const shown = all.filter(
            (one) => one.activity_type !== "test_clock.advanced" && (!since || one.logged_at >= since),
          );
          if (shown.length === 0) return <Empty title="Nothing has happened" />;
          return (
            <>
              {shown.length === 100 && (
                <Banner>The latest hundred are shown; the activity log has all of them.</Banner>
              )}
              {[...Map.groupBy(shown, (one) => isoDay(one.logged_at, zone))].map(([date, ofDay]) => (
                <div className="day" key={date}>
                  <time dateTime={date}>{day(date).replace(/ \d{4}$/, "")}</time>
                  <ul>
                    {grouped(ofDay).map(([type, entries]) => (
                      <li key={type}>
                        <span>{timeOf(entries[0]!.logged_at, zone).slice(0, 5)}</span>
                        <span>{typeWords(type)}</span>
                        <span className="dim">{subjectOf(entries)}</span>
                      </li>
                    ))}
                  </ul>
                </div>
              ))}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}

function grouped(entries: readonly Activity[]): [string, Activity[]][] {
  return [...Map.groupBy(entries, (one) => one.activity_type)];
}

function subjectOf(entries: readonly Activity[]): string {
  return entries.length === 1 ? (entries[0]!.external_customer_id ?? "") : `${entries.length} times`;
}
