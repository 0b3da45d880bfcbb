import { useMutation, useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, Download } from "lucide-react";
import { useDeferredValue, useState } from "react";
import type { Schema } from "@/api/client";
import { day } from "@/lib/dates";
import { money } from "@/lib/money";
import { Money } from "@/ui/amounts";
import { Button } from "@/ui/basics";
import { TextInput } from "@/ui/fields";
import { Status } from "@/ui/status";
import { notify } from "@/ui/toasts";
import { portalQueries, take, usePortal } from "./api";
import { Card } from "./parts";

type Invoice = Schema<"PortalInvoiceOutput">;

const A_PAGE = 8;

export function Invoices() {
  const portal = usePortal();
  const { texts, token, client } = portal;
  const me = useQuery(portalQueries.me(token, client)).data!;
  const [term, setTerm] = useState("");
  const [page, setPage] = useState(1);
  const asked = useDeferredValue(term.trim());
  const invoices = useQuery(portalQueries.invoices(portal, page, asked));
  return (
    <>
      <div className="hello">
        <h1>{texts.invoices}</h1>
      </div>
      {me.balances.map((balance) => (
        <dl className="totals" key={balance.currency}>
          <div>
            <dt>{texts.invoiced}</dt>
            <dd>
              <Money cents={balance.invoiced_amount_cents} currency={balance.currency} />
            </dd>
          </div>
          <div>
            <dt>{texts.open}</dt>
            <dd>
              <Money cents={balance.due_amount_cents} currency={balance.currency} />
            </dd>
          </div>
          <div>
            <dt>{texts.overdueTotal}</dt>
            <dd>
              <Money cents={balance.overdue_amount_cents} currency={balance.currency} />
            </dd>
          </div>
        </dl>
      ))}
      <Card
        query={invoices}
        end={
          <span className="find">
            <TextInput
              type="search"
              aria-label={texts.search}
              placeholder={texts.search}
              value={term}
              onChange={(event) => {
                setTerm(event.target.value);
                setPage(1);
              }}
            />
          </span>
        }
      >
        {({ invoices: shown, meta }) => (
          <>
            {shown.length === 0 && asked ? (
              <p className="facts">{texts.noMatch(asked)}</p>
            ) : (
              <InvoiceRows invoices={shown} />
            )}
            {meta.total_pages > 1 && (
              <nav className="pages">
                <span>
                  {texts.page(
                    (meta.current_page - 1) * A_PAGE + 1,
                    Math.min(meta.current_page * A_PAGE, meta.total_count),
                    meta.total_count,
                  )}
                </span>
                <span className="row">
                  <Button
                    isIcon
                    aria-label={texts.previous}
                    disabled={page <= 1}
                    onClick={() => setPage(page - 1)}
                  >
                    <ChevronLeft className="i" aria-hidden="true" />
                  </Button>
                  <Button
                    isIcon
                    aria-label={texts.next}
                    disabled={page >= meta.total_pages}
                    onClick={() => setPage(page + 1)}
                  >
                    <ChevronRight className="i" aria-hidden="true" />
                  </Button>
                </span>
              </nav>
            )}
          </>
        )}
      </Card>
    </>
  );
}

export function InvoiceRows({ invoices }: { invoices: readonly Invoice[] }) {
  const { texts, token, client } = usePortal();
  const hasPages = useQuery(portalQueries.me(token, client)).data?.pays_on_pages ?? false;
  if (invoices.length === 0) return <p className="facts">{texts.noInvoices}</p>;
  return (
    <ul className="inv">
      {invoices.map((invoice) => (
        <li key={invoice.lago_id}>
          <span className="when">{day(invoice.issuing_date)}</span>
          <span className="no">
            {texts.kinds[invoice.invoice_type]}
            <span className="id">{invoice.number}</span>
          </span>
          <span className="amt">
            <Money cents={invoice.total_amount_cents} currency={invoice.currency} isZeroPlain />
            {isPartlyPaid(invoice) && (
              <span className="left">
                {texts.due(money(invoice.total_due_amount_cents, invoice.currency))}
              </span>
            )}
          </span>
          <span className="s">
            <InvoiceStatus invoice={invoice} />
          </span>
          <span className="pay">{hasPages && isPayable(invoice) && <PayButton invoice={invoice} />}</span>
          <DownloadButton invoice={invoice} />
        </li>
      ))}
    </ul>
  );
}

function InvoiceStatus({ invoice }: { invoice: Invoice }) {
  const { texts } = usePortal();
  if (invoice.payment_overdue) return <Status status="overdue" word={texts.statusOverdue} />;
  if (invoice.payment_status === "succeeded" || invoice.total_due_amount_cents === 0) {
    return <Status status="paid" word={texts.statusPaid} />;
  }
  if (invoice.payment_status === "failed") return <Status status="failed" word={texts.statusFailed} />;
  return <Status status="pending" word={texts.statusDue(day(invoice.payment_due_date))} />;
}

/** Whether less is due than it comes to. */
function isPartlyPaid({ total_due_amount_cents: due, total_amount_cents: total }: Invoice): boolean {
  return due > 0 && due < total;
}

function isPayable({ payment_status, total_due_amount_cents }: Invoice): boolean {
  return payment_status !== "succeeded" && total_due_amount_cents > 0;
}

/** Leads to the payment provider's page of an invoice, which is made at this moment. */
function PayButton({ invoice }: { invoice: Invoice }) {
  const { texts, client } = usePortal();
  const pay = useMutation({
    mutationFn: () =>
      take(
        client.POST("/portal/v1/invoices/{lago_id}/payment_url", {
          params: { path: { lago_id: invoice.lago_id } },
        }),
      ),
    onSuccess: (answer) => location.assign(answer.payment_page.payment_url),
    onError: () => notify.failed(texts.noPage),
  });
  return (
    <Button
      size="sm"
      look="primary"
      aria-label={texts.payInvoice(invoice.number)}
      isBusy={pay.isPending}
      onClick={() => pay.mutate()}
    >
      {texts.pay}
    </Button>
  );
}

function DownloadButton({ invoice }: { invoice: Invoice }) {
  const { texts, client } = usePortal();
  const download = useMutation({
    mutationFn: () =>
      take(
        client.POST("/portal/v1/invoices/{lago_id}/download", {
          params: { path: { lago_id: invoice.lago_id } },
        }),
      ),
    onSuccess: (answer) => location.assign(answer.invoice.file_url),
    onError: () => notify.failed(texts.failed),
  });
  return (
    <button
      type="button"
      className="dl"
      aria-label={texts.download(invoice.number)}
      disabled={download.isPending}
      onClick={() => download.mutate()}
    >
      {download.isPending ? <span className="spin" /> : <Download className="i i-18" aria-hidden="true" />}
    </button>
  );
}
