import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/app/roots";
import { prefetchReports } from "./reads";

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "analytics/$tab",
    loader: ({ context, location }) =>
      prefetchReports(context.queries, location.search, context.membership.permissions),
    component: lazyRouteComponent(() => import("./reports"), "Analytics"),
  }),
];
