/** What a list shows as a file: asked for, written row by row, fetched. The server keeps it for a week. */
import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { useUser } from "@/app/session";
import { capital } from "@/lib/words";
import { Banner, Button, Meter } from "@/ui/basics";
import { Checkbox, Segments } from "@/ui/fields";
import { Dialog } from "@/ui/overlays";
import { openFile } from "./downloads";

type ResourceType = Schema<"ResourceType">;

interface ExportDialogProps {
  /** "invoices": for the reader, in lower case. */
  what: string;
  /** One row for each, or one for each line of them. */
  simple: ResourceType;
  detailed: ResourceType;
  detailedLabel: string;
  /** The list's own query. */
  filters: Record<string, unknown>;
  count: number | undefined;
  onClose: () => void;
}

export function ExportDialog(props: ExportDialogProps) {
  const { what, simple, detailed, detailedLabel, filters, count, onClose } = props;
  const { email } = useUser();
  const [type, setType] = useState<ResourceType>(simple);
  const [isMailed, setMailed] = useState(false);
  const make = useChange("post", "/api/v1/data_exports", {
    touches: ["/api/v1/data_exports"],
    isQuiet: true,
  });
  const id = make.data?.data_export.lago_id;
  const asked = useQuery({
    ...read("/api/v1/data_exports/{lago_id}", { params: { path: { lago_id: id ?? "" } } }),
    enabled: id !== undefined,
    placeholderData: undefined,
    refetchInterval: (query) => (isUnderWay(query.state.data?.data_export.status) ? 1000 : false),
  });
  const found = asked.data?.data_export ?? make.data?.data_export;
  const names = Object.keys(filters);
  return (
    <Dialog
      title={`Export ${what}`}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          {found?.status === "completed" ? (
            <Button look="primary" onClick={() => openFile(found.file_url)}>
              <Download className="i" aria-hidden="true" />
              Download CSV
            </Button>
          ) : (
            <Button
              look="primary"
              isBusy={make.isPending || isUnderWay(found?.status)}
              onClick={() =>
                make.mutate({
                  body: {
                    data_export: {
                      resource_type: type,
                      format: "csv",
                      filters,
                      ...(isMailed && { email }),
                    },
                  },
                })
              }
            >
              Export {what}
            </Button>
          )}
        </>
      }
    >
      {make.error && <Banner look="bad">{explain(make.error)}</Banner>}
      {!found && (
        <>
          <div>
            <Segments
              label="Rows"
              value={type}
              options={[
                { value: simple, label: `One row each` },
                { value: detailed, label: detailedLabel },
              ]}
              onChange={setType}
            />
          </div>
          <p>
            {count === undefined ? capital(what) : `${count.toLocaleString()} ${what}`}
            {names.length > 0 ? `, filtered by ${names.map(plainName).join(", ")}.` : ", all there are."}
          </p>
          <Checkbox label={`Send the link to ${email}, too`} isOn={isMailed} onChange={setMailed} />
        </>
      )}
      {found && <Progress found={found} />}
    </Dialog>
  );
}

function Progress({ found }: { found: Schema<"DataExportOutput"> }) {
  if (found.status === "failed")
    return <Banner look="bad">The file could not be written. Export again.</Banner>;
  const rows = found.rows_written.toLocaleString();
  const all = found.rows_total?.toLocaleString();
  return (
    <div className="stack" role="status">
      <p>
        {found.status === "completed"
          ? `${rows} rows are in the file, which is kept for seven days.`
          : found.rows_total === null
            ? "Waiting for its turn."
            : `${rows} of ${all} rows written.`}
      </p>
      <Meter share={found.status === "completed" ? 1 : found.progress / 100} label="Rows written" />
    </div>
  );
}

function isUnderWay(status: string | undefined): boolean {
  return status === "pending" || status === "processing";
}

function plainName(name: string): string {
  return name.replace("[]", "").replaceAll("_", " ");
}
