import { fullPage, shellPage } from "@/app/roots";

const form = () => import("./form");

export const shell = [
  shellPage("billable-metrics", () => import("./list"), "Metrics"),
  shellPage("billable-metric/$id/$tab", () => import("./details"), "MetricDetails"),
];

export const full = [
  fullPage("create/billable-metric", form, "CreateMetric"),
  fullPage("update/billable-metric/$id", form, "UpdateMetric"),
  fullPage("duplicate/billable-metric/$id", form, "DuplicateMetric"),
];
