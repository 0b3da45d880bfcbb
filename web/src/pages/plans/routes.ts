import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { fullRoute, shellRoute } from "@/app/roots";

const editor = () => import("./editor");

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "plans",
    component: lazyRouteComponent(() => import("./list"), "Plans"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "plan/$id/$tab",
    component: lazyRouteComponent(() => import("./details"), "PlanDetails"),
  }),
];

export const full = [
  createRoute({
    getParentRoute: () => fullRoute,
    path: "create/plan",
    component: lazyRouteComponent(editor, "CreatePlan"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "update/plan/$id",
    component: lazyRouteComponent(editor, "UpdatePlan"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "duplicate/plan/$id",
    component: lazyRouteComponent(editor, "DuplicatePlan"),
  }),
];
