import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { fullRoute, shellRoute } from "@/app/roots";

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "customer/$customer/wallet/$id/$tab",
    component: lazyRouteComponent(() => import("./page"), "WalletPage"),
  }),
];

export const full = [
  createRoute({
    getParentRoute: () => fullRoute,
    path: "create/wallet",
    component: lazyRouteComponent(() => import("./editor"), "CreateWallet"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "update/wallet/$id",
    component: lazyRouteComponent(() => import("./editor"), "UpdateWallet"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "top-up/wallet/$id",
    component: lazyRouteComponent(() => import("./top-up"), "TopUp"),
  }),
];
