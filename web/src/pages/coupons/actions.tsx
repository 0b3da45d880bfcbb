import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Pencil, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { ActionMenu, Confirm } from "@/ui/overlays";
import type { Coupon } from "./coupon";

interface Props {
  coupon: Coupon;
  trigger?: ReactNode;
  isOnPage?: boolean;
}

/** What can be done with a coupon, from its row and from its page. */
export function CouponActions({ coupon, trigger, isOnPage }: Props) {
  const can = useCan();
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  return (
    <>
      <ActionMenu
        label={`Actions of ${coupon.name}`}
        trigger={trigger}
        actions={[
          {
            label: "Edit coupon",
            icon: <Pencil className="i" aria-hidden="true" />,
            onSelect: () => void navigate({ to: paths.coupons.update(coupon.code) }),
            isShown: can("coupons:update") && !isOnPage,
          },
          {
            label: "Delete coupon",
            icon: <Trash2 className="i" aria-hidden="true" />,
            onSelect: () => setDeleting(true),
            isDanger: true,
            isShown: can("coupons:delete"),
          },
        ]}
      />
      {isDeleting && <DeleteCoupon coupon={coupon} onClose={() => setDeleting(false)} isOnPage={isOnPage} />}
    </>
  );
}

function DeleteCoupon({ coupon, onClose, isOnPage }: Props & { onClose: () => void }) {
  const navigate = useNavigate();
  const params = { path: { code: coupon.code } };
  const counted = useQuery(read("/app/v1/consequences/coupons/{code}", { params }));
  const remove = useChange("delete", "/api/v1/coupons/{code}", {
    done: "Coupon deleted",
    touches: isOnPage ? [] : ["/api/v1/coupons"],
    onDone: () => {
      onClose();
      if (isOnPage) void navigate({ to: paths.coupons.list() });
    },
  });
  return (
    <Confirm
      isOpen
      title={`Delete the coupon “${coupon.name}”?`}
      verb="Delete coupon"
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params })}
    >
      {counted.data ? (
        <Consequence {...counted.data.consequences} />
      ) : (
        <p>{counted.error ? "Whoever has it loses it." : "Counting what it touches …"}</p>
      )}
    </Confirm>
  );
}

function Consequence(found: Schema<"CouponDeletionOutput">) {
  if (found.applied_coupons_count === 0) return <p>Nobody has it. What it took off invoices stays.</p>;
  return (
    <p>
      <b>{countWords(found.customers_count, "customer")}</b> {found.customers_count === 1 ? "loses" : "lose"}{" "}
      it from the next invoice on. What it took off invoices stays.
    </p>
  );
}
