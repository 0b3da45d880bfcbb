import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { fullRoute, shellRoute } from "@/app/roots";

const form = () => import("./form");

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "add-ons",
    component: lazyRouteComponent(() => import("./list"), "AddOns"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "add-on/$id/$tab",
    component: lazyRouteComponent(() => import("./details"), "AddOnDetails"),
  }),
];

export const full = [
  createRoute({
    getParentRoute: () => fullRoute,
    path: "create/add-on",
    component: lazyRouteComponent(form, "CreateAddOn"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "update/add-on/$id",
    component: lazyRouteComponent(form, "UpdateAddOn"),
  }),
];
