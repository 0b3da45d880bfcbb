import { fullPage, shellPage } from "@/app/roots";

const form = () => import("./form");

export const shell = [
  shellPage("add-ons", () => import("./list"), "AddOns"),
  shellPage("add-on/$id/$tab", () => import("./details"), "AddOnDetails"),
];

export const full = [
  fullPage("create/add-on", form, "CreateAddOn"),
  fullPage("update/add-on/$id", form, "UpdateAddOn"),
];
