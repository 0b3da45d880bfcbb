import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "@/app/roots";

const signUp = <Path extends string>(path: Path, name: keyof typeof import("./sign-up")) =>
  createRoute({
    getParentRoute: () => rootRoute,
    path,
    component: lazyRouteComponent(() => import("./sign-up") as never, name),
  });

const door = <Path extends string>(path: Path, name: keyof typeof import("./others")) =>
  createRoute({
    getParentRoute: () => rootRoute,
    path,
    component: lazyRouteComponent(() => import("./others") as never, name),
  });

export const doorRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: "/sign-in",
    component: lazyRouteComponent(() => import("./sign-in"), "SignIn"),
  }),
  signUp("/sign-up", "SignUp"),
  signUp("/sign-up/$token", "Confirmed"),
  signUp("/new", "NewOrganization"),
  door("/welcome/$token", "Welcome"),
  door("/forgot-password", "ForgotPassword"),
  door("/reset-password/$token", "ResetPassword"),
  door("/invitation/$token", "Invitation"),
  door("/visit/$token", "Visit"),
  door("/auth/google/callback", "Callback"),
  door("/auth/okta/callback", "Callback"),
  door("/auth/entra-id/callback", "Callback"),
  door("/auth/oidc/callback", "Callback"),
];
