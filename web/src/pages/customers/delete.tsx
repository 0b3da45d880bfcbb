import { useQuery } from "@tanstack/react-query";
import { read, useChange } from "@/api/client";
import { countWords } from "@/lib/words";
import { Confirm } from "@/ui/overlays";
import { Skeleton } from "@/ui/states";
import { nameOf } from "./customer";
import { useSubscriptionsOf, useWalletsOf } from "./reads";

interface Props {
  customer: { external_id: string; name?: string | null };
  onClose: () => void;
  onDeleted?: () => void;
}

/** Asks before a customer is deleted, with what ends with it, counted. */
export function DeleteCustomer({ customer, onClose, onDeleted }: Props) {
  const id = customer.external_id;
  const subscriptions = useSubscriptionsOf(id);
  const wallets = useWalletsOf(id);
  const drafts = useQuery(
    read("/api/v1/customers/{external_customer_id}/invoices", {
      params: { path: { external_customer_id: id }, query: { status: "draft", per_page: "1" } },
    }),
  );
  const remove = useChange("delete", "/api/v1/customers/{external_id}", {
    done: "Customer deleted",
    onDone: () => {
      onClose();
      onDeleted?.();
    },
  });
  const counts: [number | undefined, string][] = [
    [
      subscriptions.data?.subscriptions.filter((one) => one.status === "active" || one.status === "pending")
        .length,
      "subscription",
    ],
    [wallets.data?.wallets.filter((one) => one.status === "active").length, "wallet"],
    [drafts.data?.meta.total_count, "draft invoice"],
  ];
  return (
    <Confirm
      title={`Delete the customer “${nameOf(customer)}”?`}
      verb="Delete customer"
      isOpen
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params: { path: { external_id: id } } })}
    >
      {subscriptions.error || wallets.error || drafts.error ? (
        <p>
          Its subscriptions and wallets are terminated, and its drafts are finalized. Invoices that were
          issued stay.
        </p>
      ) : counts.some(([count]) => count === undefined) ? (
        <Skeleton width="80%" />
      ) : (
        <p>
          {counts.map(([count, name], index) => (
            <span key={name}>
              {index > 0 && (index === counts.length - 1 ? " and " : ", ")}
              <b>{countWords(count!, name)}</b>
            </span>
          ))}{" "}
          end with it: subscriptions and wallets are terminated, drafts are finalized. Invoices that were
          issued stay.
        </p>
      )}
    </Confirm>
  );
}
