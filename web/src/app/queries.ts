import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "@/api/errors";

/** Everything that has been read, for as long as it is fresh. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status < 500),
      refetchOnWindowFocus: true,
    },
  },
});
