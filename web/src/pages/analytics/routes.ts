import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/app/roots";

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "analytics/$tab",
    component: lazyRouteComponent(() => import("./reports"), "Analytics"),
  }),
];
