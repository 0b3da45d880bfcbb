import { fullPage, shellPage } from "@/app/roots";

export const shell = [
  shellPage("customers", () => import("./list"), "Customers"),
  shellPage("customer/$id/$tab", () => import("./page"), "CustomerPage"),
];

export const full = [
  fullPage("create/customer", () => import("./editor"), "CreateCustomer"),
  fullPage("update/customer/$id", () => import("./editor"), "UpdateCustomer"),
];
