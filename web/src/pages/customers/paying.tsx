/** How a customer pays: the provider that they are linked to, and the methods that they have left there (ui §3.1). */
import { Check, Plus, Trash2, Unlink } from "lucide-react";
import type { ReactNode } from "react";
import { useChange } from "@/api/client";
import { useCan } from "@/app/session";
import { AskForMethod } from "@/pages/payment-providers/ask-for-method";
import { providerName } from "@/pages/payment-providers/kinds";
import { expiryOf, methodName, methodType } from "@/pages/payment-providers/methods";
import { type PaymentMethod, useConnections, usePaymentMethods } from "@/pages/payment-providers/reads";
import { Button, Copy, Facts } from "@/ui/basics";
import { useOpenedOne, useOpenedRow } from "@/ui/opened";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Loaded, Skeleton } from "@/ui/states";
import { Status } from "@/ui/status";
import { Block } from "./block";
import { type Customer, nameOf } from "./customer";
import { type Standing, standingOf } from "./link";

const STANDINGS: Record<Standing, ReactNode> = {
  linked: <Status status="active" word="Linked" />,
  waiting: <Status status="pending" word="Waits for the customer to leave a method" />,
  pages: <Status status="active" word="Pays on pages" />,
  unlinked: <Status status="closed" glyph="draft" word="Not linked: nothing is collected" />,
};

type Dialog = "add-method" | "unlink";

/** The blocks of the customer's page of information that are about payments. */
export function Paying({ customer }: { customer: Customer }) {
  const can = useCan();
  const connections = useConnections().data?.payment_providers;
  const config = customer.billing_configuration;
  const { payment_provider: kind, payment_provider_code: code } = config;
  const connection = connections?.find((one) => one.kind === kind && one.code === code);
  const savesMethods = connection?.abilities.saves_methods;
  const mayUpdate = can("customers:update");
  const mayAdd = mayUpdate && savesMethods === true;
  const [open, setOpen] = useOpenedOne<Dialog>([
    mayAdd && "add-method",
    mayUpdate && kind != null && "unlink",
  ]);
  const methods = usePaymentMethods(customer.external_id);
  const own = config.provider_payment_methods;
  return (
    <>
      <Block
        title="Payment provider"
        action={
          kind &&
          mayUpdate && (
            <Button size="sm" onClick={() => setOpen("unlink")}>
              <Unlink className="i" aria-hidden="true" />
              Unlink
            </Button>
          )
        }
      >
        {kind ? (
          <Facts
            facts={[
              ["Provider", providerName(kind)],
              ["Account", connection?.name ?? code],
              ["Standing", connections && STANDINGS[standingOf(config, savesMethods)]],
              ...(savesMethods === false && !config.provider_customer_id
                ? []
                : [
                    [
                      "ID there",
                      config.provider_customer_id && (
                        <Copy text={config.provider_customer_id} what="ID at the provider" />
                      ),
                    ] as [string, ReactNode],
                  ]),
              ...(kind === "stripe" && own
                ? [["May pay by", own.map(methodType).join(", ")] as [string, ReactNode]]
                : []),
            ]}
          />
        ) : (
          <p className="dim">None: payments are recorded by hand.</p>
        )}
      </Block>
      {can("payment_methods:view") && (
        <Block
          title="Payment methods"
          action={
            mayAdd && (
              <Button size="sm" onClick={() => setOpen("add-method")}>
                <Plus className="i" aria-hidden="true" />
                Add
              </Button>
            )
          }
        >
          <Loaded query={methods} what="Payment methods" skeleton={<Skeleton width="60%" />}>
            {({ payment_methods }) => (
              <Methods customer={customer} methods={payment_methods} mayLeave={savesMethods !== false} />
            )}
          </Loaded>
        </Block>
      )}
      {open === "add-method" && kind && (
        <AskForMethod
          customer={{ external_id: customer.external_id, name: nameOf(customer), provider: kind }}
          onClose={() => setOpen(null)}
        />
      )}
      {open === "unlink" && kind && (
        <UnlinkCustomer
          customer={customer}
          provider={providerName(kind)}
          count={methods.data?.payment_methods.length}
          onClose={() => setOpen(null)}
        />
      )}
    </>
  );
}

interface MethodsProps {
  customer: Customer;
  methods: readonly PaymentMethod[];
  /** Whether something can be left at the customer's provider. */
  mayLeave: boolean;
}

function Methods({ customer, methods, mayLeave }: MethodsProps) {
  const can = useCan();
  const mayRemove = can("payment_methods:delete");
  const [doomed, setDoomed] = useOpenedRow("remove-method", methods, (one) => one.lago_id, mayRemove);
  const touches = ["/api/v1/customers/{external_id}/payment_methods"];
  const choose = useChange(
    "put",
    "/api/v1/customers/{external_id}/payment_methods/{lago_id}/set_as_default",
    {
      done: "Default payment method changed",
      touches,
    },
  );
  const remove = useChange("delete", "/api/v1/customers/{external_id}/payment_methods/{lago_id}", {
    done: "Payment method removed",
    touches,
    onDone: () => setDoomed(null),
  });
  const paramsOf = ({ lago_id }: PaymentMethod) => ({
    params: { path: { external_id: customer.external_id, lago_id } },
  });
  if (methods.length === 0) {
    return <p className="dim">{noneYet(customer, mayLeave)}</p>;
  }
  return (
    <>
      <ul className="methods" aria-label="Payment methods">
        {methods.map((one) => (
          <li key={one.lago_id}>
            <span className="grow">
              <b className="med">{methodName(one)}</b>{" "}
              {one.is_default && <span className="tag accent">Default</span>}
              <span className="sub dim">
                {[one.payment_provider_name ?? providerName(one.payment_provider_type), expiryWords(one)]
                  .filter(Boolean)
                  .join(", ")}
              </span>
            </span>
            <ActionMenu
              label={`Actions of ${methodName(one)}`}
              actions={[
                {
                  label: "Set as default",
                  icon: <Check className="i" aria-hidden="true" />,
                  onSelect: () => choose.mutate(paramsOf(one)),
                  isShown: !one.is_default && can("payment_methods:update"),
                },
                {
                  label: "Remove method",
                  icon: <Trash2 className="i" aria-hidden="true" />,
                  isDanger: true,
                  onSelect: () => setDoomed(one),
                  isShown: mayRemove,
                },
              ]}
            />
          </li>
        ))}
      </ul>
      {doomed && (
        <Confirm
          title={`Remove ${methodName(doomed)} of ${nameOf(customer)}?`}
          verb="Remove method"
          isOpen
          isBusy={remove.isPending}
          onClose={() => setDoomed(null)}
          onConfirm={() => remove.mutate(paramsOf(doomed))}
        >
          <p>
            {doomed.is_default
              ? "It is the default: until another is, invoices are not collected by themselves."
              : "Subscriptions and wallets that name it are not collected by themselves any more."}
          </p>
        </Confirm>
      )}
    </>
  );
}

function noneYet(customer: Customer, mayLeave: boolean): string {
  if (!customer.billing_configuration.payment_provider) return "None.";
  return mayLeave
    ? "None yet. What the customer leaves at the provider shows up here."
    : "None: on pages the customer chooses each time how to pay.";
}

function expiryWords(method: PaymentMethod): string | null {
  const expiry = expiryOf(method);
  return expiry && `expires ${expiry}`;
}

interface UnlinkProps {
  customer: Customer;
  provider: string;
  count: number | undefined;
  onClose: () => void;
}

function UnlinkCustomer({ customer, provider, count, onClose }: UnlinkProps) {
  const save = useChange("post", "/api/v1/customers", { done: "Customer unlinked", onDone: onClose });
  return (
    <Confirm
      title={`Unlink ${nameOf(customer)} from ${provider}?`}
      verb="Unlink customer"
      isOpen
      isBusy={save.isPending}
      onClose={onClose}
      onConfirm={() =>
        save.mutate({
          body: {
            customer: {
              external_id: customer.external_id,
              billing_configuration: { payment_provider: null },
            },
          },
        })
      }
    >
      <p>
        {count ? (
          <>
            <b>{count === 1 ? "The payment method" : `All ${count} payment methods`}</b> of the customer{" "}
            {count === 1 ? "is" : "are"} forgotten, and invoices
          </>
        ) : (
          "Invoices"
        )}{" "}
        are not collected by themselves any more. At {provider} the customer stays, and so do payments that
        were made.
      </p>
    </Confirm>
  );
}
