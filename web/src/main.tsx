import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queries } from "./app/queries";
import { report, watchErrors } from "./app/reports";
import { router } from "./app/router";
import "./styles/index.css";

watchErrors();

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
