/** Small objects of an organization: listed, made and changed in a drawer, deleted after a question. */
import { Pencil, Plus, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import type { FieldPath, FieldValues, UseFormReturn } from "react-hook-form";
import type { Schema } from "@/api/client";
import { Button } from "@/ui/basics";
import { Field, TextInput } from "@/ui/fields";
import { messageOf, useDerivedCode } from "@/ui/form";
import { List, type ListControls, type ListRows } from "@/ui/list";
import { useOpened, useOpenedRow } from "@/ui/opened";
import { ActionMenu } from "@/ui/overlays";
import { Empty } from "@/ui/states";
import type { Column } from "@/ui/table";
import { NEEDED } from "./editor";
import { Settings } from "./layout";

interface ObjectsProps<Row, Page> {
  title: string;
  about?: ReactNode;
  /** "tax" and "taxes": for the reader. */
  one: string;
  many: string;
  controls: ListControls;
  query: ListRows<Page>;
  rowsOf: (page: Page) => readonly Row[];
  columns: readonly Column<Row>[];
  may: { create: boolean; update: boolean; delete?: boolean };
  /** What a search looks into; without it nothing is searched. */
  searchHint?: string;
  /** Beside the button that makes another one. */
  tools?: ReactNode;
  /** What they are for, where there are none yet. */
  purpose?: ReactNode;
  /** The drawer of one, or of a new one. */
  editor: (object: Row | null, close: () => void) => ReactNode;
  /** The question before one is deleted. */
  deletion?: (object: Row, close: () => void) => ReactNode;
}

export function Objects<Row extends { lago_id: string; name: string }, Page extends { meta: Schema<"Meta"> }>(
  props: ObjectsProps<Row, Page>,
) {
  const { title, about, one, many, may, tools, purpose, editor, deletion, ...list } = props;
  const shown = list.query.pages.flatMap(list.rowsOf);
  const keyOf = (row: Row) => row.lago_id;
  const [isMaking, setMaking] = useOpened("new", may.create);
  const [edited, setEdited] = useOpenedRow("edit", shown, keyOf, may.update);
  const [doomed, setDoomed] = useOpenedRow("delete", shown, keyOf, may.delete);
  // Where there is nothing yet, the way to the first one stands below.
  const isBare = list.query.data?.meta.total_count === 0 && !list.controls.term;
  const create = may.create && (
    <Button look="primary" size="sm" data-create="" onClick={() => setMaking(true)}>
      <Plus className="i" aria-hidden="true" />
      New {one}
    </Button>
  );
  return (
    <Settings title={title}>
      <div>
        {about && <p className="settings-note">{about}</p>}
        <List
          what={many}
          {...list}
          keyOf={keyOf}
          {...(may.update && { onOpen: setEdited })}
          toolbar={
            (tools || !isBare) && (
              <>
                {tools}
                {!isBare && create}
              </>
            )
          }
          {...(deletion && {
            actions: (row: Row) => (
              <ActionMenu
                label={`Actions for ${row.name}`}
                actions={[
                  {
                    label: "Edit",
                    icon: <Pencil className="i" aria-hidden="true" />,
                    onSelect: () => setEdited(row),
                    isShown: may.update,
                  },
                  {
                    label: "Delete",
                    icon: <Trash2 className="i" aria-hidden="true" />,
                    isDanger: true,
                    onSelect: () => setDoomed(row),
                    isShown: may.delete ?? false,
                  },
                ]}
              />
            ),
          })}
          empty={
            <Empty title={`No ${many} yet`} actions={create}>
              {purpose}
            </Empty>
          }
        />
      </div>
      {isMaking && editor(null, () => setMaking(false))}
      {edited && editor(edited, () => setEdited(null))}
      {doomed && deletion?.(doomed, () => setDoomed(null))}
    </Settings>
  );
}

type Named = FieldValues & { name: string; code: string };

interface NamedProps<Values extends Named> {
  form: UseFormReturn<Values>;
  isNew: boolean;
  /** The code stays for good. */
  isCodeFixed?: boolean;
  example?: string;
}

/** Name and code; the code follows the name of what is new until somebody writes one. */
export function NameAndCode<Values extends Named>(props: NamedProps<Values>) {
  const { form, isNew, isCodeFixed, example } = props;
  const { errors } = form.formState;
  useDerivedCode(form, isNew);
  return (
    <>
      <Field label="Name" error={messageOf(errors, "name")}>
        <TextInput autoFocus placeholder={example} {...form.register("name" as FieldPath<Values>, NEEDED)} />
      </Field>
      <Field label="Code" error={messageOf(errors, "code")}>
        <TextInput disabled={isCodeFixed && !isNew} {...form.register("code" as FieldPath<Values>, NEEDED)} />
      </Field>
    </>
  );
}
