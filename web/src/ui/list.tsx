/** A list page: search, quick filters, filter chips and the page in the address; table; pager; three kinds of empty. */
import { type QueryKey, type UseQueryOptions, useQueries, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight, ListFilter, Search, X } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useId, useRef, useState } from "react";
import { ApiError } from "@/api/errors";
import { useSettled } from "@/lib/settled";
import { capital } from "@/lib/words";
import { Button } from "./basics";
import { type Option, Select, TextInput } from "./fields";
import { OPENED, useOpening } from "./opened";
import { Popover } from "./overlays";
import { Picker } from "./picker";
import { ErrorBlock, Forbidden, NoMatch } from "./states";
import { type Column, Table } from "./table";

/** What the address says of a list. Filters are by their name on the wire. */
export interface ListState {
  page: number;
  per_page: number;
  /** All rows are on one page; they come as they are scrolled to. */
  isWhole: boolean;
  term: string;
  /** The record whose details are shown beside the list. */
  open: string | undefined;
  filters: Record<string, string>;
}

const WHOLE = "all";
const PAGE_SIZES = ["20", "50", "100", WHOLE] as const;
type PageSize = (typeof PAGE_SIZES)[number];

/** So many rows of a whole list come together. */
const STRETCH = 200;
/** No page is as high as more rows than that; who looks for one of them searches or filters. */
const MOST_ROWS = 100_000;
const OWN: ReadonlySet<string> = new Set(["page", "per_page", "term", "open", ...OPENED]);

const openOf = (search: Record<string, unknown>) => search.open;

/** The state of a list, kept in the address, and the ways to change it. */
export function useListState() {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const navigate = useNavigate();
  const changeOpen = useOpening(openOf);
  const filters = Object.fromEntries(
    Object.entries(search)
      .filter(([key, value]) => !OWN.has(key) && value !== undefined && value !== "")
      .map(([key, value]) => [key, String(value)]),
  );
  const size = PAGE_SIZES.find((one) => one === String(search.per_page)) ?? "20";
  const state: ListState = {
    page: Math.max(1, Number(search.page) || 1),
    per_page: size === WHOLE ? STRETCH : Number(size),
    isWhole: size === WHOLE,
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
    size,
    /** What is looked for, as the API's parameters are typed. */
    sought: { ...(state.term && { search_term: state.term }) },
    setPage: (page: number) => go({ page: page === 1 ? undefined : page }),
    setSize: (size: PageSize) => go({ per_page: size === "20" ? undefined : size, page: undefined }),
    setTerm: (term: string) => go({ term: term || undefined, page: undefined }, true),
    setOpen: (open: string | undefined) => changeOpen((before) => prune({ ...before, open })),
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

/** Which page is asked for, as the API's parameters are typed. */
export interface Asked {
  page: string;
  per_page: string;
}

/** What has come of a list. */
export interface ListRows<Page> {
  /** The page that is shown; of a whole list its first rows. */
  data: Page | undefined;
  /** All that has come of what is in sight. */
  pages: readonly Page[];
  error: unknown;
  isFetching: boolean;
  refetch: () => unknown;
  /** Of a whole list: what has come, by its place among the stretches, which are counted from 1. */
  stretches: ReadonlyMap<number, Page> | undefined;
  onSight: (first: number, last: number) => void;
}

/** Read the page that the address names; or of a whole list its first rows, and those that are in sight. */
export function useRows<Page, Key extends QueryKey>(
  controls: ListControls,
  ask: (asked: Asked) => UseQueryOptions<Page, Error, Page, Key>,
): ListRows<Page> {
  const { isWhole } = controls;
  const per_page = String(controls.per_page);
  const [sight, setSight] = useState("1");
  const numbers = new Set([1, ...useSettled(sight, 80).split(" ").map(Number)]);
  const page = useQuery({ ...ask({ page: String(controls.page), per_page }), enabled: !isWhole });
  const found = useQueries({
    queries: isWhole ? [...numbers].map((number) => ask({ page: String(number), per_page })) : [],
  });
  const onSight = useCallback((first: number, last: number) => setSight(stretchesOf(first, last)), []);
  if (!isWhole) return { ...page, pages: page.data ? [page.data] : [], stretches: undefined, onSight };
  const stretches = new Map(
    [...numbers].flatMap((number, index): [number, Page][] => {
      const come = found[index]!;
      return come.data && !come.isPlaceholderData ? [[number, come.data]] : [];
    }),
  );
  return {
    data: found[0]!.data,
    pages: [...stretches.values()],
    error: found.find((one) => one.error)?.error ?? null,
    isFetching: found.some((one) => one.isFetching),
    refetch: () => Promise.all(found.map((one) => one.refetch())),
    stretches,
    onSight,
  };
}

/** The stretches that rows are in, with spaces between them. */
function stretchesOf(first: number, last: number): string {
  const from = Math.floor(first / STRETCH) + 1;
  const to = Math.floor(last / STRETCH) + 1;
  return Array.from({ length: to - from + 1 }, (_, index) => from + index).join(" ");
}

/** All rows of a whole list, undefined where they have not come. */
export function spread<Row>(
  stretches: ReadonlyMap<number, readonly Row[]>,
  total: number,
): (Row | undefined)[] {
  const rows = new Array<Row | undefined>(Math.min(total, MOST_ROWS)).fill(undefined);
  for (const [number, come] of stretches) {
    for (const [index, row] of come.entries()) {
      const place = (number - 1) * STRETCH + index;
      if (place < rows.length) rows[place] = row;
    }
  }
  return rows;
}

export interface Filter {
  /** Its name in the address and on the wire. */
  key: string;
  label: string;
  /** Absent: a text; "date": a day. */
  options?: readonly Option[];
  kind?: "text" | "date" | "number";
  /** What is likely to be typed, of a text; anything else may be, too. */
  suggestions?: readonly string[];
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

export interface ListProps<Row, Page extends { meta: Meta }> {
  /** "customers": for the reader, in lower case. */
  what: string;
  controls: ListControls;
  query: ListRows<Page>;
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
  const { stretches } = query;
  const rows = stretches
    ? meta &&
      spread(new Map([...stretches].map(([number, page]) => [number, rowsOf(page)])), meta.total_count)
    : query.data && rowsOf(query.data);
  const pager = meta && <Pager meta={meta} controls={controls} what={what} />;
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
          {stretches && pager}
          <Table
            label={capital(what)}
            rows={rows}
            isRefreshing={query.isFetching && query.data !== undefined}
            isBleeding
            onSight={query.onSight}
            {...table}
          />
          {!stretches && pager}
        </>
      )}
    </>
  );
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

/** What a list or a report is filtered by, and the popover in which that is chosen. */
export function FilterChips({ filters, controls }: { filters: readonly Filter[]; controls: ListControls }) {
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
  const suggestions = useId();
  if (filter.options) {
    const any: Option = { value: ANY, label: "Any" };
    const choose = (next: string) => controls.setFilter(filter.key, next === ANY ? undefined : next);
    return (
      <div className="field">
        <span className="label">{filter.label}</span>
        {filter.options.length > MANY_OPTIONS ? (
          <Picker
            label={filter.label}
            value={value || ANY}
            choices={[any, ...filter.options]}
            onChange={choose}
          />
        ) : (
          <Select
            aria-label={filter.label}
            value={value || ANY}
            options={[any, ...filter.options]}
            onChange={choose}
          />
        )}
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
        list={filter.suggestions && suggestions}
        defaultValue={value}
        onBlur={(event) => controls.setFilter(filter.key, event.target.value.trim())}
        onKeyDown={(event) => {
          if (event.key === "Enter") controls.setFilter(filter.key, event.currentTarget.value.trim());
        }}
      />
      {filter.suggestions && (
        <datalist id={suggestions}>
          {filter.suggestions.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </div>
  );
}

const ANY = "\u0000any";
/** More than these are found by typing. */
const MANY_OPTIONS = 20;

function wordFor(filter: Filter, value: string): string {
  return filter.options?.find((option) => option.value === value)?.label ?? value;
}

/** "141–143 of 143", the page's size, previous and next; of a whole list how many there are. */
function Pager({ meta, controls, what }: { meta: Meta; controls: ListControls; what: string }) {
  const { per_page, isWhole, setPage } = controls;
  const first = (meta.current_page - 1) * per_page + 1;
  const last = Math.min(meta.total_count, meta.current_page * per_page);
  const all = meta.total_count.toLocaleString();
  return (
    <nav className={isWhole ? "pager whole" : "pager"} aria-label="Pages">
      {isWhole ? (
        <span>
          {meta.total_count > MOST_ROWS && `The first ${MOST_ROWS.toLocaleString()} of `}
          <b>{all}</b> {what}
        </span>
      ) : (
        <span>
          <b>
            {first.toLocaleString()}–{last.toLocaleString()}
          </b>{" "}
          of <b>{all}</b>
        </span>
      )}
      <Select
        isTool
        aria-label="Rows a page"
        value={controls.size}
        options={PAGE_SIZES.map((size) => ({
          value: size,
          label: size === WHOLE ? "All on one page" : `${size} a page`,
        }))}
        onChange={controls.setSize}
      />
      {!isWhole && (
        <span className="btn-group">
          <Button
            isIcon
            size="sm"
            aria-label="Previous page"
            disabled={meta.current_page <= 1}
            onClick={() => setPage(meta.current_page - 1)}
          >
            <ChevronLeft className="i" aria-hidden="true" />
          </Button>
          <Button
            isIcon
            size="sm"
            aria-label="Next page"
            disabled={meta.current_page >= meta.total_pages}
            onClick={() => setPage(meta.current_page + 1)}
          >
            <ChevronRight className="i" aria-hidden="true" />
          </Button>
        </span>
      )}
    </nav>
  );
}
