/** Why an event counts nowhere, and what to do about it (beyond.md §1). */
interface Reason {
  title: string;
  text: string;
  remedy: string;
}

export const REASONS: Record<string, Reason> = {
  unknown_metric: {
    title: "No such metric",
    text: "No billable metric has this code.",
    remedy: "Create the metric, or correct the code where events are sent, then replay.",
  },
  unknown_subscription: {
    title: "No such subscription",
    text: "No subscription has this external ID.",
    remedy: "Create the subscription with a start before the events, then replay.",
  },
  outside_subscription: {
    title: "Outside of the subscription",
    text: "The subscription was not active at the event's time.",
    remedy: "Correct the subscription's dates or the event's time, then replay.",
  },
  no_charge: {
    title: "No charge for it",
    text: "The plan has no charge on this metric, so nothing is billed for it.",
    remedy: "Add a charge to the plan, then replay.",
  },
  missing_property: {
    title: "A property is missing",
    text: "The property that the metric counts is not in the event.",
    remedy: "Amend the events, or correct where they are sent.",
  },
  invalid_property: {
    title: "A property is no number",
    text: "The property that the metric counts can't be counted.",
    remedy: "Amend the events, or correct where they are sent.",
  },
  too_late: {
    title: "Too late",
    text: "It came after its period was settled, and the settings refuse such events.",
    remedy: "Change how late events are treated in the settings, then replay.",
  },
};
