/** Errors of the app, told to whom the installation names. Until the first one happens nothing of it is loaded, or asked for. */
import { ApiError } from "@/api/errors";

/** A page that fails over and over is told of so many times. */
const MOST = 5;

type Tell = (error: unknown) => void;

let told = 0;
let opened: Promise<Tell | null> | undefined;

/** Tell of an error of ours; what the API refuses is none. */
export function report(error: unknown): void {
  console.error(error);
  if (error instanceof ApiError || told >= MOST) return;
  told += 1;
  opened ??= open();
  opened.then((tell) => tell?.(error)).catch(() => undefined);
}

/** Hear of every error that nothing else catches. */
export function watchErrors(): void {
  addEventListener("error", (event) => event.error && report(event.error));
  addEventListener("unhandledrejection", (event) => report(event.reason));
}

async function open(): Promise<Tell | null> {
  const answer = await fetch("/app/v1/configuration");
  const { error_reporting } = (await answer.json()).configuration;
  if (!error_reporting) return null;
  const { makeReporter } = await import("./sentry");
  return makeReporter(error_reporting);
}
