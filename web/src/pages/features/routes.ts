import { fullPage, shellPage } from "@/app/roots";

const form = () => import("./form");

export const shell = [
  shellPage("features", () => import("./list"), "Features"),
  shellPage("feature/$id/$tab", () => import("./details"), "FeatureDetails"),
];

export const full = [
  fullPage("create/feature", form, "CreateFeature"),
  fullPage("update/feature/$id", form, "UpdateFeature"),
];
