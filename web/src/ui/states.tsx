/** Empty, loading, wrong: none of them moves the page. */
import { CloudAlert, RefreshCw, SearchX, X } from "lucide-react";
import { Component, createContext, type ErrorInfo, type ReactNode, useContext } from "react";
import { ApiError, explainRead } from "@/api/errors";
import { Button, Stat, Tally } from "./basics";

/** Nothing has been made yet: what it is for, and the way to the first one. */
export function Empty({
  title,
  children,
  actions,
}: {
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="empty">
      <Tally count={0} />
      <h3>{title}</h3>
      {children && <p>{children}</p>}
      {actions && <div className="actions">{actions}</div>}
    </div>
  );
}

/** Something was looked for and is not there. */
export function NoMatch({
  title,
  children,
  actions,
}: {
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="empty">
      <SearchX className="i i-20 dim" aria-hidden="true" />
      <h3>{title}</h3>
      {children && <p>{children}</p>}
      {actions && <div className="actions">{actions}</div>}
    </div>
  );
}

/** A section that could not be loaded fails alone. */
export function ErrorBlock({ what, error, onRetry }: { what: string; error: unknown; onRetry?: () => void }) {
  return (
    <div className="card error-block" role="alert">
      <CloudAlert className="i i-18" aria-hidden="true" />
      <div className="grow">
        <h3>{what} could not be loaded</h3>
        <p className="ink2">{explainRead(error)} Billing is not affected.</p>
        {onRetry && (
          <Button size="sm" onClick={onRetry}>
            <RefreshCw className="i" aria-hidden="true" />
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

/** A grey bar where a text will be. */
export function Skeleton({ width = 120 }: { width?: number | string }) {
  return <span className="sk" style={{ width }} aria-hidden="true" />;
}

/** Grey bars in the shape of a page that is about to come. */
export function PageSkeleton() {
  return (
    <div className="page" aria-busy="true">
      <span className="sr" role="status">
        Loading
      </span>
      <div className="page-head">
        <Skeleton width={220} />
      </div>
      <div className="stack skeleton-rows">
        {[72, 56, 64, 48, 60, 52].map((width) => (
          <Skeleton key={width} width={`${width}%`} />
        ))}
      </div>
    </div>
  );
}

export interface QueryLike<Data> {
  data: Data | undefined;
  error: unknown;
  refetch: () => unknown;
}

/** Shows what a query brought; a skeleton before, an error block instead. */
export function Loaded<Data>({
  query,
  what,
  skeleton,
  children,
}: {
  query: QueryLike<Data>;
  what: string;
  skeleton?: ReactNode;
  children: (data: Data) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  return <Framed>{query.error ? stateOf(query, what) : (skeleton ?? <PageSkeleton />)}</Framed>;
}

/** Several reads as one: what is said of all of them together is known once each has come. */
export function allOf(queries: readonly QueryLike<unknown>[]): QueryLike<true> {
  const failed = queries.filter((one) => one.error && one.data === undefined);
  return {
    data: queries.every((one) => one.data !== undefined) || undefined,
    error: failed[0]?.error ?? null,
    refetch: () => Promise.all(failed.map((one) => one.refetch())),
  };
}

/** A figure that is read: nothing is said of it before it is known, nor where it cannot be. */
export function LoadedStat<Data>({
  name,
  query: { data, error, refetch },
  children,
}: {
  name: string;
  query: QueryLike<Data>;
  children: (data: Data) => ReactNode;
}) {
  if (data !== undefined) return children(data);
  if (!error) return <Stat name={name} value={<Skeleton width={90} />} />;
  const isForbidden = error instanceof ApiError && error.status === 403;
  return (
    <Stat
      name={name}
      value={<span className="dim">–</span>}
      detail={
        isForbidden ? undefined : (
          <span role="alert">
            Not loaded.{" "}
            <button type="button" className="link" onClick={() => void refetch()}>
              Try again
            </button>
          </span>
        )
      }
    />
  );
}

function stateOf({ error, refetch }: QueryLike<unknown>, what: string): ReactNode {
  if (error instanceof ApiError && error.status === 404) return <Missing what={what} />;
  if (error instanceof ApiError && error.status === 403) return <Forbidden />;
  return <ErrorBlock what={what} error={error} onRetry={() => void refetch()} />;
}

/** Whether nothing stands around what is shown: a full-screen page before there is one. */
export const IsBare = createContext(false);

/** Where nothing stands around it: a page's body, and the way back. */
function Framed({ children }: { children: ReactNode }) {
  if (!useContext(IsBare)) return children;
  return (
    <main className="form-page" id="main">
      <header className="form-top">
        <Button look="ghost" isIcon size="sm" aria-label="Close" onClick={() => history.back()}>
          <X className="i" aria-hidden="true" />
        </Button>
      </header>
      <div className="form-body">{children}</div>
    </main>
  );
}

export function Missing({ what }: { what: string }) {
  return (
    <NoMatch title={`${what} not found`} actions={<Button onClick={() => history.back()}>Go back</Button>}>
      It was deleted, or the address is wrong.
    </NoMatch>
  );
}

export function Forbidden() {
  return (
    <NoMatch
      title="Your role does not show this"
      actions={<Button onClick={() => history.back()}>Go back</Button>}
    >
      An admin of the organization can change what your role may see.
    </NoMatch>
  );
}

/** Keeps a fault of one page from taking the others down. */
export class FaultBoundary extends Component<
  { children: ReactNode; resetKey: string },
  { fault: Error | null }
> {
  override state: { fault: Error | null } = { fault: null };

  static getDerivedStateFromError(fault: Error) {
    return { fault };
  }

  override componentDidCatch(fault: Error, info: ErrorInfo) {
    console.error(fault, info.componentStack);
  }

  override componentDidUpdate(before: { resetKey: string }) {
    if (before.resetKey !== this.props.resetKey && this.state.fault) this.setState({ fault: null });
  }

  override render() {
    if (!this.state.fault) return this.props.children;
    return (
      <div className="page">
        <div className="sec">
          <ErrorBlock what="This page" error={this.state.fault} onRetry={() => location.reload()} />
        </div>
      </div>
    );
  }
}
