import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { whenSessionEnds } from "./api/client";
import { doors } from "./app/paths";
import { queries } from "./app/queries";
import { report, watchErrors } from "./app/reports";
import { homeRoute, startRoute } from "./app/roots";
import { router } from "./app/router";
import { adoptSession } from "./app/session";
import "./styles/index.css";

watchErrors();
adoptSession(queries);
whenSessionEnds(() => location.replace(doors.signIn(location.pathname + location.search)));

// The parts of the page at this address come while it is asked who is there, and not after: of `/` and `/acme` the page where
// most members land.
const [matched] = router.getMatchedRoutes(location.pathname);
const isStart = matched.includes(startRoute) || matched.includes(homeRoute);
for (const { options } of isStart ? router.getMatchedRoutes("/-/analytics/overview")[0] : matched) {
  void (options.component as { preload?: () => Promise<void> } | undefined)?.preload?.();
}

createRoot(document.getElementById("root")!, {
  onCaughtError: report,
  onUncaughtError: report,
}).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
