/** The page of one thing of the catalogue: its head, its tabs, and in the last of them what has happened to it. */
import { Link } from "@tanstack/react-router";
import type { ComponentProps, ReactNode } from "react";
import { useCan } from "@/app/session";
import { Timeline } from "@/app/timeline";
import { Button, buttonClass, Copy } from "@/ui/basics";
import { Page, PageHead, type Tab, Tabs } from "@/ui/page";
import { Loaded } from "@/ui/states";

interface Thing {
  lago_id: string;
  code: string;
  name: string | null;
}

interface Props<Answer, Shown extends Thing> {
  /** What it is, as it begins a sentence: "Add-on". */
  what: string;
  /** The list that it is one of. */
  list: { label: string; href: string };
  query: ComponentProps<typeof Loaded<Answer>>["query"];
  thingOf: (answer: Answer) => Shown;
  tab: string;
  hrefOf: (tab?: string) => string;
  /** What stands beside its code. */
  sub?: (thing: Shown) => ReactNode;
  status?: (thing: Shown) => ReactNode;
  /** Other buttons than those to edit it and to more. */
  actions?: (thing: Shown) => ReactNode;
  /** Where it is edited, by whom who may. */
  edit: { right: string; hrefOf: (code: string) => string };
  /** The menu of what else can be done with it. */
  menu: (thing: Shown, trigger: ReactNode) => ReactNode;
  /** Above the tabs. */
  notice?: (thing: Shown) => ReactNode;
  /** Tabs between the overview and the activity. */
  tabs?: readonly Tab[];
  /** What the tab shows, unless it is the activity. */
  children: (thing: Shown) => ReactNode;
}

export function CatalogDetails<Answer, Shown extends Thing>(props: Props<Answer, Shown>) {
  const { what, list, query, thingOf, tab, hrefOf, tabs = [] } = props;
  const can = useCan();
  const found = query.data && thingOf(query.data);
  const title = found?.name || found?.code || what;
  return (
    <Page title={title} crumbs={[list]}>
      <Loaded query={query} what={what}>
        {(answer) => {
          const shown = thingOf(answer);
          return (
            <>
              <PageHead
                title={title}
                status={props.status?.(shown)}
                sub={
                  <>
                    <Copy text={shown.code} what="code" />
                    {props.sub?.(shown)}
                  </>
                }
                actions={
                  <>
                    {props.actions?.(shown)}
                    {can(props.edit.right) && (
                      <Link to={props.edit.hrefOf(shown.code)} className={buttonClass()}>
                        Edit {what.toLowerCase()}
                      </Link>
                    )}
                    {props.menu(shown, <Button>More</Button>)}
                  </>
                }
              />
              {props.notice?.(shown)}
              <Tabs
                label={what}
                tabs={[
                  { label: "Overview", href: hrefOf() },
                  ...tabs,
                  { label: "Activity", href: hrefOf("activity"), isShown: can("audit_logs:view") },
                ]}
              />
              {tab === "activity" ? (
                <Timeline whose={{ resource_ids: [shown.lago_id] }} />
              ) : (
                props.children(shown)
              )}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
