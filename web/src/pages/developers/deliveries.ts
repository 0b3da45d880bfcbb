/** What the pages of webhooks know about deliveries and endpoints. */
import type { Schema } from "@/api/client";

type Tried = Pick<Schema<"DeliveryOutput">, "status" | "retries">;

/** How often a delivery was tried: the wire counts the tries that failed. */
export function triesOf({ status, retries }: Tried): number {
  return retries + (status === "succeeded" ? 1 : 0);
}

/** Where an endpoint is, in short; an address that a browser does not read is shown as it is. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
