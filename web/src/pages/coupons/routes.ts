import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { fullRoute, shellRoute } from "@/app/roots";

const form = () => import("./form");

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "coupons",
    component: lazyRouteComponent(() => import("./list"), "Coupons"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "coupon/$id/$tab",
    component: lazyRouteComponent(() => import("./details"), "CouponDetails"),
  }),
];

export const full = [
  createRoute({
    getParentRoute: () => fullRoute,
    path: "create/coupon",
    component: lazyRouteComponent(form, "CreateCoupon"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "update/coupon/$id",
    component: lazyRouteComponent(form, "UpdateCoupon"),
  }),
];
