"""What can be done with features, and with what plans and subscriptions have of them."""

from tallymark.rooms.entitlements.service.features import (
    create_feature,
    delete_feature,
    delete_privilege,
    get_feature,
    get_features,
    list_features,
    update_feature,
)
from tallymark.rooms.entitlements.service.of_plans import (
    drop_plan,
    find_grant,
    lock_plan,
    merge_grants,
    of_plans,
    remove_grant,
    remove_value,
    replace_grants,
)
from tallymark.rooms.entitlements.service.of_subscriptions import (
    lock_subscription,
    of_subscriptions,
    patch_subscription,
    remove_feature,
    remove_privilege,
)

__all__ = [
    "create_feature",
    "delete_feature",
    "delete_privilege",
    "drop_plan",
    "find_grant",
    "get_feature",
    "get_features",
    "list_features",
    "lock_plan",
    "lock_subscription",
    "merge_grants",
    "of_plans",
    "of_subscriptions",
    "patch_subscription",
    "remove_feature",
    "remove_grant",
    "remove_privilege",
    "remove_value",
    "replace_grants",
    "update_feature",
]
