import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { fullRoute, shellRoute } from "@/app/roots";

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "subscriptions",
    component: lazyRouteComponent(() => import("./list"), "Subscriptions"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "customer/$customer/subscription/$id/$tab",
    component: lazyRouteComponent(() => import("./page"), "SubscriptionPage"),
  }),
];

export const full = [
  createRoute({
    getParentRoute: () => fullRoute,
    path: "create/subscription",
    component: lazyRouteComponent(() => import("./create"), "CreateSubscription"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "update/subscription/$id",
    component: lazyRouteComponent(() => import("./update"), "UpdateSubscription"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "change/subscription/$id",
    component: lazyRouteComponent(() => import("./change"), "ChangePlan"),
  }),
];
