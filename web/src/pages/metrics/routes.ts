import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { fullRoute, shellRoute } from "@/app/roots";

const form = () => import("./form");

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "billable-metrics",
    component: lazyRouteComponent(() => import("./list"), "Metrics"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "billable-metric/$id/$tab",
    component: lazyRouteComponent(() => import("./details"), "MetricDetails"),
  }),
];

export const full = [
  createRoute({
    getParentRoute: () => fullRoute,
    path: "create/billable-metric",
    component: lazyRouteComponent(form, "CreateMetric"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "update/billable-metric/$id",
    component: lazyRouteComponent(form, "UpdateMetric"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "duplicate/billable-metric/$id",
    component: lazyRouteComponent(form, "DuplicateMetric"),
  }),
];
