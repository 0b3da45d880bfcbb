import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/app/roots";
import { monthsOf, prefetchReports } from "./reads";

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "analytics/$tab",
    loader: ({ context, location }) => prefetchReports(context.queries, monthsOf(location.search)),
    component: lazyRouteComponent(() => import("./reports"), "Analytics"),
  }),
];
