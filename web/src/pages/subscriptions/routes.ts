import { fullPage, shellPage } from "@/app/roots";

export const shell = [
  shellPage("subscriptions", () => import("./list"), "Subscriptions"),
  shellPage("customer/$customer/subscription/$id/$tab", () => import("./page"), "SubscriptionPage"),
];

export const full = [
  fullPage("create/subscription", () => import("./create"), "CreateSubscription"),
  fullPage("update/subscription/$id", () => import("./update"), "UpdateSubscription"),
  fullPage("change/subscription/$id", () => import("./change"), "ChangePlan"),
];
