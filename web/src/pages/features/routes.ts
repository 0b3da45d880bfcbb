import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { fullRoute, shellRoute } from "@/app/roots";

const form = () => import("./form");

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "features",
    component: lazyRouteComponent(() => import("./list"), "Features"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "feature/$id/$tab",
    component: lazyRouteComponent(() => import("./details"), "FeatureDetails"),
  }),
];

export const full = [
  createRoute({
    getParentRoute: () => fullRoute,
    path: "create/feature",
    component: lazyRouteComponent(form, "CreateFeature"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "update/feature/$id",
    component: lazyRouteComponent(form, "UpdateFeature"),
  }),
];
