import { fullPage, shellPage } from "@/app/roots";

const editor = () => import("./editor");

export const shell = [
  shellPage("plans", () => import("./list"), "Plans"),
  shellPage("plan/$id/$tab", () => import("./details"), "PlanDetails"),
];

export const full = [
  fullPage("create/plan", editor, "CreatePlan"),
  fullPage("update/plan/$id", editor, "UpdatePlan"),
  fullPage("duplicate/plan/$id", editor, "DuplicatePlan"),
];
