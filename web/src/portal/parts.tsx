import { CloudAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/ui/basics";
import { Skeleton } from "@/ui/states";
import { usePortal } from "./api";

interface QueryLike<Data> {
  data: Data | undefined;
  error: unknown;
  refetch: () => unknown;
}

/** A card of the portal: each loads, and fails, by itself. */
export function Card<Data>({
  title,
  end,
  query,
  children,
}: {
  title?: ReactNode;
  end?: ReactNode;
  query: QueryLike<Data>;
  children: (data: Data) => ReactNode;
}) {
  const { texts } = usePortal();
  return (
    <section className="p-card">
      {(title || end) && (
        <div className="row between">
          {title && <h2>{title}</h2>}
          {end}
        </div>
      )}
      {query.data !== undefined ? (
        children(query.data)
      ) : query.error ? (
        <div className="failed" role="alert">
          <CloudAlert className="i i-18" aria-hidden="true" />
          <p>{texts.failed}</p>
          <Button size="sm" onClick={() => void query.refetch()}>
            {texts.retry}
          </Button>
        </div>
      ) : (
        <div className="stack" aria-busy="true" style={{ paddingTop: 14 }}>
          <Skeleton width="60%" />
          <Skeleton width="80%" />
          <Skeleton width="45%" />
        </div>
      )}
    </section>
  );
}
