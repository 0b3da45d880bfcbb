/** What the portal asks the server: in the name of a link's token, and of nobody who has signed in. */
import { queryOptions } from "@tanstack/react-query";
import createClient from "openapi-fetch";
import { createContext, useContext } from "react";
import type { paths } from "#schema";
import { gatheringFetch, OF_PORTALS } from "@/api/batch";
import { ApiError, type Refusal } from "@/api/errors";
import type { Texts } from "./texts";

export function portalClient(token: string) {
  return createClient<paths>({
    baseUrl: location.origin,
    credentials: "omit", // whoever looks at a customer's portal while signed in is that customer there
    headers: { authorization: `Bearer ${token}` },
    fetch: gatheringFetch(undefined, OF_PORTALS),
  });
}

export type PortalClient = ReturnType<typeof portalClient>;

/** The data of an answer; what was refused is thrown. */
export async function take<Data>(
  call: Promise<{ data?: Data; error?: unknown; response: Response }>,
): Promise<Data> {
  const { data, error, response } = await call;
  if (!response.ok || data === undefined) {
    throw new ApiError(response.status, (error ?? { status: response.status }) as Refusal);
  }
  return data;
}

export interface Portal {
  token: string;
  client: PortalClient;
  texts: Texts;
  zone: string;
}

/** Who asks: all that a question of the portal needs. */
export type Asking = Pick<Portal, "token" | "client">;

export const PortalContext = createContext<Portal | null>(null);

export function usePortal(): Portal {
  const portal = useContext(PortalContext);
  if (!portal) throw new Error("this part stands in the portal");
  return portal;
}

const key = (token: string, ...more: unknown[]) => ["portal", token, ...more] as const;

export const portalQueries = {
  me: (token: string, client: PortalClient) =>
    queryOptions({ queryKey: key(token, "me"), queryFn: () => take(client.GET("/portal/v1/me")) }),
  subscriptions: ({ token, client }: Asking) =>
    queryOptions({
      queryKey: key(token, "subscriptions"),
      queryFn: () => take(client.GET("/portal/v1/subscriptions")),
    }),
  usage: ({ token, client }: Asking, lago_id: string) =>
    queryOptions({
      queryKey: key(token, "usage", lago_id),
      queryFn: () =>
        take(client.GET("/portal/v1/subscriptions/{lago_id}/usage", { params: { path: { lago_id } } })),
    }),
  wallets: ({ token, client }: Asking) =>
    queryOptions({ queryKey: key(token, "wallets"), queryFn: () => take(client.GET("/portal/v1/wallets")) }),
  topUpPrice: ({ token, client }: Asking, lago_id: string, paid_credits: string) =>
    queryOptions({
      queryKey: key(token, "price", lago_id, paid_credits),
      queryFn: () =>
        take(
          client.GET("/portal/v1/wallets/{lago_id}/top_up_price", {
            params: { path: { lago_id }, query: { paid_credits } },
          }),
        ),
      retry: false,
    }),
  invoices: ({ token, client }: Asking, page: number, search_term: string) =>
    queryOptions({
      queryKey: key(token, "invoices", page, search_term),
      queryFn: () =>
        take(
          client.GET("/portal/v1/invoices", {
            params: { query: { page: String(page), search_term: search_term || undefined } },
          }),
        ),
      placeholderData: (before) => before,
    }),
};
