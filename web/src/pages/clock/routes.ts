import { shellPage } from "@/app/roots";

export const shell = [shellPage("clock", () => import("./clock"), "TestClock")];
