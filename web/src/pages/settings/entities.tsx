import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { read, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countryName } from "@/pages/customers/customer";
import { Button } from "@/ui/basics";
import { Field, TextInput } from "@/ui/fields";
import { codeFrom, messageOf } from "@/ui/form";
import { useOpened } from "@/ui/opened";
import { Loaded } from "@/ui/states";
import { Table } from "@/ui/table";
import { Editor, NEEDED } from "./editor";
import { Settings, SettingsHead } from "./layout";

export function Entities() {
  const can = useCan();
  const navigate = useNavigate();
  const entities = useQuery(read("/api/v1/billing_entities"));
  const [isMaking, setMaking] = useOpened("new", can("billing_entities:create"));
  const create = useChange("post", "/api/v1/billing_entities", {
    done: "Entity created",
    isQuiet: true,
    touches: ["/api/v1/billing_entities"],
    onDone: ({ billing_entity }) => void navigate({ to: paths.entity(billing_entity.code) }),
  });
  return (
    <Settings title="Billing entities">
      <div>
        <SettingsHead
          note="Who invoices: legal identity, numbering, taxes, terms. A customer belongs to one."
          actions={
            can("billing_entities:create") && (
              <Button look="primary" size="sm" data-create="" onClick={() => setMaking(true)}>
                <Plus className="i" aria-hidden="true" />
                New entity
              </Button>
            )
          }
        />
        <Loaded query={entities} what="Billing entities">
          {({ billing_entities: shown }) => (
            <Table
              label="Billing entities"
              columns={[
                {
                  head: "Name",
                  fold: "f1",
                  cell: (entity) => (
                    <span>
                      <b className="med">{entity.name}</b>{" "}
                      {entity.is_default && <span className="tag">Default</span>}
                    </span>
                  ),
                },
                { head: "Code", fold: "f3", cell: (entity) => <span className="id">{entity.code}</span> },
                {
                  head: "Country",
                  isLow: true,
                  cell: (entity) => countryName(entity.country) ?? <span className="dim">–</span>,
                },
                { head: "Currency", fold: "f2", cell: (entity) => entity.default_currency },
                { head: "Time zone", isLow: true, cell: (entity) => entity.timezone },
              ]}
              rows={shown}
              keyOf={(entity) => entity.lago_id}
              hrefOf={(entity) => paths.entity(entity.code)}
            />
          )}
        </Loaded>
      </div>
      {isMaking && (
        <Editor<{ name: string; code: string }>
          title="New billing entity"
          verb="Create entity"
          values={{ name: "", code: "" }}
          onClose={() => setMaking(false)}
          onSave={(values) => create.mutateAsync({ body: { billing_entity: values } })}
        >
          {(form) => (
            <>
              <Field label="Name" error={messageOf(form.formState.errors, "name")}>
                <TextInput
                  autoFocus
                  {...form.register("name", {
                    ...NEEDED,
                    onChange: (event: { target: { value: string } }) => {
                      if (!form.formState.dirtyFields.code)
                        form.setValue("code", codeFrom(event.target.value));
                    },
                  })}
                />
              </Field>
              <Field label="Code" error={messageOf(form.formState.errors, "code")}>
                <TextInput {...form.register("code", NEEDED)} />
              </Field>
            </>
          )}
        </Editor>
      )}
    </Settings>
  );
}
