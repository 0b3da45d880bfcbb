"""Runs the task that migrates, and waits for it: what CloudFormation asks before it touches the services.

Runs in AWS Lambda, sent along within the template, whose limit is 4 KiB: nothing but boto3, which Lambda has.
"""

import json

import boto3


def on_event(event, _):  # type: ignore[no-untyped-def]
    """Start the task of this release. An installation that ends needs none, and one that goes back to the older release
    has nothing to migrate: where that one refused the newer schema, the stack would be stuck."""
    if event["RequestType"] == "Delete":
        return {"PhysicalResourceId": event["PhysicalResourceId"]}
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=event["StackId"])["Stacks"]
    if "ROLLBACK" in stack["StackStatus"]:
        return {"PhysicalResourceId": "rolled-back-" + event["RequestId"]}
    wanted = event["ResourceProperties"]
    answer = boto3.client("ecs").run_task(
        cluster=wanted["Cluster"],
        taskDefinition=wanted["TaskDefinition"],
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": wanted["Subnets"],
                "securityGroups": [wanted["SecurityGroup"]],
                "assignPublicIp": "DISABLED",
            }
        },
    )
    if answer["failures"] or not answer["tasks"]:
        raise RuntimeError("The migration did not start: " + json.dumps(answer["failures"]))
    return {"PhysicalResourceId": answer["tasks"][0]["taskArn"]}


def is_complete(event, _):  # type: ignore[no-untyped-def]
    """Whether it has ended; that it ended badly ends the deployment."""
    task_arn = event["PhysicalResourceId"]
    if event["RequestType"] == "Delete" or task_arn.startswith("rolled-back-"):
        return {"IsComplete": True}
    answer = boto3.client("ecs").describe_tasks(
        cluster=event["ResourceProperties"]["Cluster"], tasks=[task_arn]
    )
    if not answer["tasks"]:
        raise RuntimeError("The migration is lost: " + json.dumps(answer["failures"]))
    task = answer["tasks"][0]
    if task["lastStatus"] != "STOPPED":
        return {"IsComplete": False}
    codes = [container.get("exitCode") for container in task["containers"]]
    if codes != [0]:
        raise RuntimeError(
            f"The migration failed ({codes}, {task.get('stoppedReason')}); its log group says why: {task_arn}"
        )
    return {"IsComplete": True}
