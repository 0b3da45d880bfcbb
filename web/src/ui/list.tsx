/** A list page: search, quick filters, filter chips and the page in the address; table; pager; three kinds of empty. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight, ListFilter, Search, X } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { ApiError } from "@/api/errors";
import { Button } from "./basics";
import { type Option, Select, TextInput } from "./fields";
import { Popover } from "./overlays";
import { ErrorBlock, Forbidden, NoMatch } from "./states";
import { type Column, Table } from "./table";

/** What the address says of a list. Filters are by their name on the wire. */
export interface ListState {
  page: number;
  per_page: number;
  term: string;
  /** The record whose details are shown beside the list. */
  open: string | undefined;
  filters: Record<string, string>;
}

const PAGE_SIZES = ["20", "50", "100", "1000"] as const;
const OWN = new Set(["page", "per_page", "term", "open"]);

/** The state of a list, kept in the address, and the ways to change it. */
export function useListState() {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const navigate = useNavigate();
  const filters = Object.fromEntries(
    Object.entries(search)
      .filter(([key, value]) => !OWN.has(key) && value !== undefined && value !== "")
      .map(([key, value]) => [key, String(value)]),
  );
  const state: ListState = {
    page: Math.max(1, Number(search.page) || 1),
    per_page: PAGE_SIZES.includes(String(search.per_page) as "20") ? Number(search.per_page) : 20,
    term: typeof search.term === "string" || typeof search.term === "number" ? String(search.term) : "",
    open: search.open === undefined ? undefined : String(search.open),
    filters,
  };
  const go = (changes: Record<string, unknown>, isReplacing = false) =>
    void navigate({
      to: ".",
      search: ((before: Record<string, unknown>) => prune({ ...before, ...changes })) as never,
      replace: isReplacing,
    });
  return {
    ...state,
    /** Which page is asked for, as the API's parameters are typed. */
    asked: { page: String(state.page), per_page: String(state.per_page) },
    /** The same with what is looked for. */
    searched: {
      page: String(state.page),
      per_page: String(state.per_page),
      ...(state.term && { search_term: state.term }),
    },
    setPage: (page: number) => go({ page: page === 1 ? undefined : page }),
    setPerPage: (size: number) => go({ per_page: size === 20 ? undefined : size, page: undefined }),
    setTerm: (term: string) => go({ term: term || undefined, page: undefined }, true),
    setOpen: (open: string | undefined) => go({ open }),
    setFilter: (key: string, value: string | undefined) => go({ [key]: value || undefined, page: undefined }),
    setFilters: (changes: Record<string, string | undefined>) => go({ ...changes, page: undefined }),
    clear: () =>
      go({
        ...Object.fromEntries(Object.keys(filters).map((key) => [key, undefined])),
        term: undefined,
        page: undefined,
      }),
  };
}

function prune(search: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(search).filter(([, value]) => value !== undefined && value !== ""),
  );
}

export type ListControls = ReturnType<typeof useListState>;

export interface Filter {
  /** Its name in the address and on the wire. */
  key: string;
  label: string;
  /** Absent: a text; "date": a day. */
  options?: readonly Option[];
  kind?: "text" | "date" | "number";
}

export interface QuickFilter {
  label: string;
  /** The filters that it sets; all others of the quick filters are cleared. */
  filters: Record<string, string>;
  count?: number | undefined;
}

interface Meta {
  current_page: number;
  total_pages: number;
  total_count: number;
}

interface QueryLike<Page> {
  data: Page | undefined;
  error: unknown;
  isFetching: boolean;
  refetch: () => unknown;
}

interface ListProps<Row, Page extends { meta: Meta }> {
  /** "customers": for the reader, in lower case. */
  what: string;
  controls: ListControls;
  query: QueryLike<Page>;
  rowsOf: (page: Page) => readonly Row[];
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
  hrefOf?: (row: Row) => string;
  onOpen?: (row: Row) => void;
  actions?: (row: Row) => ReactNode;
  chosen?: string | undefined;
  isTall?: boolean;
  searchHint?: string;
  quickFilters?: readonly QuickFilter[];
  filters?: readonly Filter[];
  toolbar?: ReactNode;
  /** What stands there when nothing has been made yet. */
  empty: ReactNode;
}

export function List<Row, Page extends { meta: Meta }>(props: ListProps<Row, Page>) {
  const {
    what,
    controls,
    query,
    rowsOf,
    searchHint,
    quickFilters,
    filters = [],
    toolbar,
    empty,
    ...table
  } = props;
  const meta = query.data?.meta;
  const { page, setPage } = controls;

  useEffect(() => {
    // An address may name a page that is not there any more.
    if (meta && meta.total_pages > 0 && page > meta.total_pages && !query.isFetching)
      setPage(meta.total_pages);
  }, [meta, page, setPage, query.isFetching]);

  const hasFilters = Object.keys(controls.filters).length > 0;
  const isEmpty = meta?.total_count === 0;
  return (
    <>
      {(searchHint || quickFilters || filters.length > 0 || toolbar) && (
        <div className="filters">
          {quickFilters && <QuickFilters filters={quickFilters} controls={controls} />}
          {searchHint && <SearchField hint={searchHint} controls={controls} />}
          {filters.length > 0 && <FilterChips filters={filters} controls={controls} />}
          {toolbar && <div className="filters-end">{toolbar}</div>}
        </div>
      )}
      {query.error instanceof ApiError && query.error.status === 403 && !query.data ? (
        <Forbidden />
      ) : query.error && !query.data ? (
        <ErrorBlock what={capital(what)} error={query.error} onRetry={() => void query.refetch()} />
      ) : isEmpty && controls.term ? (
        <NoMatch
          title={`Nothing for “${controls.term}”`}
          actions={<Button onClick={() => controls.setTerm("")}>Clear search</Button>}
        >
          {searchHint ? `${searchHint} were searched.` : "Try another word."}
        </NoMatch>
      ) : isEmpty && hasFilters ? (
        <NoMatch
          title={`No ${what} match${Object.keys(controls.filters).length > 1 ? " all of these" : " this filter"}`}
          actions={<Button onClick={controls.clear}>Remove all filters</Button>}
        >
          Take one away to see more.
        </NoMatch>
      ) : isEmpty ? (
        empty
      ) : (
        <>
          <Table
            label={capital(what)}
            rows={query.data && rowsOf(query.data)}
            isRefreshing={query.isFetching && query.data !== undefined}
            isBleeding
            {...table}
          />
          {meta && <Pager meta={meta} controls={controls} />}
        </>
      )}
    </>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function SearchField({ hint, controls }: { hint: string; controls: ListControls }) {
  const [typed, setTyped] = useState(controls.term);
  const { setTerm, term } = controls;
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setTyped(term), [term]);
  return (
    <span className="search-field">
      <TextInput
        isTool
        type="search"
        aria-label={`Search by ${hint}`}
        placeholder={hint}
        before={<Search className="i" aria-hidden="true" />}
        value={typed}
        onChange={(event) => {
          const text = event.target.value;
          setTyped(text);
          clearTimeout(waiting.current);
          waiting.current = setTimeout(() => setTerm(text.trim()), 250);
        }}
      />
    </span>
  );
}

function QuickFilters({ filters, controls }: { filters: readonly QuickFilter[]; controls: ListControls }) {
  const keys = new Set(filters.flatMap((one) => Object.keys(one.filters)));
  const isChosen = (one: QuickFilter) => [...keys].every((key) => controls.filters[key] === one.filters[key]);
  return (
    <div className="seg" role="group" aria-label="Quick filters">
      {filters.map((one) => (
        <button
          type="button"
          key={one.label}
          aria-pressed={isChosen(one)}
          onClick={() => {
            const cleared = Object.fromEntries([...keys].map((key) => [key, undefined]));
            controls.setFilters({ ...cleared, ...one.filters });
          }}
        >
          {one.label}
          {one.count !== undefined && <span className="n">{one.count.toLocaleString()}</span>}
        </button>
      ))}
    </div>
  );
}

function FilterChips({ filters, controls }: { filters: readonly Filter[]; controls: ListControls }) {
  const [isOpen, setOpen] = useState(false);
  const shown = filters.filter((filter) => controls.filters[filter.key]);
  return (
    <>
      {shown.map((filter) => (
        <span className="chip" key={filter.key}>
          <span className="k">{filter.label}</span>
          <button type="button" className="v" onClick={() => setOpen(true)}>
            {wordFor(filter, controls.filters[filter.key]!)}
          </button>
          <button
            type="button"
            className="x"
            aria-label={`Remove filter ${filter.label}`}
            onClick={() => controls.setFilter(filter.key, undefined)}
          >
            <X className="i i-14" aria-hidden="true" />
          </button>
        </span>
      ))}
      <Popover
        label="Filters"
        isOpen={isOpen}
        onOpenChange={setOpen}
        trigger={
          <button type="button" className="chip-add">
            <ListFilter className="i i-14" aria-hidden="true" />
            Filter
          </button>
        }
      >
        <div className="filter-form">
          {filters.map((filter) => (
            <FilterField key={filter.key} filter={filter} controls={controls} />
          ))}
        </div>
      </Popover>
    </>
  );
}

function FilterField({ filter, controls }: { filter: Filter; controls: ListControls }) {
  const value = controls.filters[filter.key] ?? "";
  if (filter.options) {
    const any: Option = { value: ANY, label: "Any" };
    return (
      <div className="field">
        <span className="label">{filter.label}</span>
        <Select
          aria-label={filter.label}
          value={value || ANY}
          options={[any, ...filter.options]}
          onChange={(next) => controls.setFilter(filter.key, next === ANY ? undefined : next)}
        />
      </div>
    );
  }
  return (
    <div className="field">
      <span className="label">{filter.label}</span>
      <TextInput
        key={value}
        aria-label={filter.label}
        type={filter.kind === "date" ? "date" : "text"}
        inputMode={filter.kind === "number" ? "decimal" : undefined}
        defaultValue={value}
        onBlur={(event) => controls.setFilter(filter.key, event.target.value.trim())}
        onKeyDown={(event) => {
          if (event.key === "Enter") controls.setFilter(filter.key, event.currentTarget.value.trim());
        }}
      />
    </div>
  );
}

const ANY = "\u0000any";

function wordFor(filter: Filter, value: string): string {
  return filter.options?.find((option) => option.value === value)?.label ?? value;
}

/** "141–143 of 143", the page's size, previous and next. */
export function Pager({
  meta,
  controls,
}: {
  meta: Meta;
  controls: Pick<ListControls, "page" | "per_page" | "setPage" | "setPerPage">;
}) {
  const first = (meta.current_page - 1) * controls.per_page + 1;
  const last = Math.min(meta.total_count, meta.current_page * controls.per_page);
  return (
    <nav className="pager" aria-label="Pages">
      <span>
        <b>
          {first.toLocaleString()}–{last.toLocaleString()}
        </b>{" "}
        of <b>{meta.total_count.toLocaleString()}</b>
      </span>
      <Select
        isTool
        aria-label="Rows a page"
        value={String(controls.per_page) as (typeof PAGE_SIZES)[number]}
        options={PAGE_SIZES.map((size) => ({
          value: size,
          label: `${Number(size).toLocaleString()} a page`,
        }))}
        onChange={(size) => controls.setPerPage(Number(size))}
      />
      <span className="btn-group">
        <Button
          isIcon
          size="sm"
          aria-label="Previous page"
          disabled={meta.current_page <= 1}
          onClick={() => controls.setPage(meta.current_page - 1)}
        >
          <ChevronLeft className="i" aria-hidden="true" />
        </Button>
        <Button
          isIcon
          size="sm"
          aria-label="Next page"
          disabled={meta.current_page >= meta.total_pages}
          onClick={() => controls.setPage(meta.current_page + 1)}
        >
          <ChevronRight className="i" aria-hidden="true" />
        </Button>
      </span>
    </nav>
  );
}
