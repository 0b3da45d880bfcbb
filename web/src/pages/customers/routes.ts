import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { fullRoute, shellRoute } from "@/app/roots";

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "customers",
    component: lazyRouteComponent(() => import("./list"), "Customers"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "customer/$id/$tab",
    component: lazyRouteComponent(() => import("./page"), "CustomerPage"),
  }),
];

export const full = [
  createRoute({
    getParentRoute: () => fullRoute,
    path: "create/customer",
    component: lazyRouteComponent(() => import("./editor"), "CreateCustomer"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "update/customer/$id",
    component: lazyRouteComponent(() => import("./editor"), "UpdateCustomer"),
  }),
];
