/** Instants and days as people read them: in a time zone that is named, in the reader's language. */
import { readersLocale } from "./money";

/** A day: "1 Nov 2026". A plain date ("2026-11-01") is that day everywhere; an instant is the day in the zone. */
export function day(value: string, zone?: string): string {
  return format({ day: "numeric", month: "short", year: "numeric" }, value, zone);
}

/** A day and a time: "1 Nov 2026, 14:32". */
export function moment(value: string, zone?: string): string {
  const options = {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  } as const;
  return format({ ...options, hourCycle: "h23" }, value, zone);
}

/** A time to the second: "14:32:07". */
export function clock(value: string, zone?: string): string {
  return format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }, value, zone);
}

/** A month: "November 2026", or "Nov" for an axis. */
export function month(value: string, zone?: string, length: "long" | "short" = "long"): string {
  return format(length === "long" ? { month: "long", year: "numeric" } : { month: "short" }, value, zone);
}

/** A period by its first and its last day: "1–30 Nov 2026". */
export function period(from: string, to: string, zone?: string): string {
  const formatter = dateFormat({ day: "numeric", month: "short", year: "numeric" }, zone ?? "UTC");
  return tidy(formatter.formatRange(instant(from), instant(to))).replaceAll(/\s[–-]\s(?=\d+ )/g, "–");
}

/** A period whose end is the first instant after it. */
export function halfOpenPeriod(from: string, to: string, zone?: string): string {
  return period(from, new Date(instant(to).getTime() - 1).toISOString(), zone);
}

/** How long ago or ahead, roughly: "3 days ago", "in 2 hours"; of a day counted in days of a zone's calendar. */
export function distance(value: string, now: number, zone: string = ownZone): string {
  const relative = new Intl.RelativeTimeFormat(readersLocale(), { numeric: "auto" });
  if (isPlainDay(value)) return relative.format(daysBetween(new Date(now).toISOString(), value, zone), "day");
  const seconds = (instant(value).getTime() - now) / 1000;
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ["year", 31_557_600],
    ["month", 2_629_800],
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
  ];
  for (const [unit, length] of steps) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return relative.format(Math.round(seconds), "second");
}

/** Whole days from an instant to another, by calendar days of a zone: 3 when due three days before. */
export function daysBetween(from: string, to: string, zone = "UTC"): number {
  return Math.round((Date.parse(isoDay(to, zone)) - Date.parse(isoDay(from, zone))) / 86_400_000);
}

/** The calendar day of an instant in a zone, as the wire writes days: "2026-11-01". */
export function isoDay(value: string, zone = "UTC"): string {
  if (isPlainDay(value)) return value;
  return dateFormat({ dateStyle: "short" }, zone, WIRE).format(instant(value));
}

/** What the title of a shown date says: the instant in UTC, by the organization's time, and by the one that it is shown in. */
export function inZones(value: string, zone?: string): string {
  if (isPlainDay(value)) return value;
  const utc = `${new Date(value).toISOString().replace("T", " ").slice(0, 19)} UTC`;
  const others = new Set([ownZone, zone ?? "UTC"]);
  others.delete("UTC");
  return [utc, ...[...others].map((one) => `${moment(value, one)} in ${placeOf(one)}`)].join("\n");
}

/** The place whose time a zone is: "Buenos Aires". */
export function placeOf(zone: string): string {
  return zone.split("/").at(-1)!.replaceAll("_", " ");
}

let ownZone = "UTC";

/** The zone of the organization that has been entered. */
export function setOwnZone(zone: string): void {
  ownZone = zone;
}

function format(options: Intl.DateTimeFormatOptions, value: string, zone?: string): string {
  return tidy(dateFormat(options, isPlainDay(value) ? "UTC" : (zone ?? "UTC")).format(instant(value)));
}

function isPlainDay(value: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(value);
}

function instant(value: string): Date {
  return new Date(isPlainDay(value) ? `${value}T00:00:00Z` : value);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Of this place's ways to write a day one is that of the wire. */
const WIRE = "en-CA";

function dateFormat(
  options: Intl.DateTimeFormatOptions,
  zone: string,
  locale = readersDates(),
): Intl.DateTimeFormat {
  const key = `${locale}/${zone}/${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone });
    formats.set(key, found);
  }
  return found;
}

/** English in the order that the product's texts have: 1 Nov 2026. */
function readersDates(): string {
  return readersLocale().startsWith("en") ? "en-GB" : readersLocale();
}

/** Months have three letters here as they have in documents: British English alone has a fourth in "Sept". */
function tidy(written: string): string {
  return readersDates() === "en-GB" ? written.replaceAll(/\bSept\b/g, "Sep") : written;
}

/** The first instant of a calendar day in a zone, as the wire writes instants: "2026-10-31T23:00:00.000Z" in Berlin. */
export function startOfDay(day: string, zone: string): string {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // Where clocks are set near midnight the first guess is off by the difference; the second has the right offset.
  const guess = midnight - offset(midnight, zone);
  return new Date(midnight - offset(guess, zone)).toISOString();
}

/** The last second of a calendar day in a zone. */
export function endOfDay(day: string, zone: string): string {
  const next = new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
  return new Date(Date.parse(startOfDay(next, zone)) - 1000).toISOString();
}

/** How far a zone's clocks are ahead of UTC at an instant, in milliseconds. */
function offset(at: number, zone: string): number {
  const format = dateFormat(TO_THE_SECOND, zone, WIRE);
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const shown = Date.parse(
    `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}Z`,
  );
  return shown - Math.floor(at / 1000) * 1000;
}

const TO_THE_SECOND: Intl.DateTimeFormatOptions = {
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
};
