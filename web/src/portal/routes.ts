import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "@/app/roots";

const frame = createRoute({
  getParentRoute: () => rootRoute,
  path: "customer-portal/$token",
  component: lazyRouteComponent(() => import("./frame"), "PortalFrame"),
});

export const portalRoute = frame.addChildren([
  createRoute({
    getParentRoute: () => frame,
    path: "/",
    component: lazyRouteComponent(() => import("./overview"), "Overview"),
  }),
  createRoute({
    getParentRoute: () => frame,
    path: "invoices",
    component: lazyRouteComponent(() => import("./invoices"), "Invoices"),
  }),
  createRoute({
    getParentRoute: () => frame,
    path: "details",
    component: lazyRouteComponent(() => import("./details"), "Details"),
  }),
]);
