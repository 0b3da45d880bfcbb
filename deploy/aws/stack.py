"""The installation: a network, a database, a bucket, and the services behind a load balancer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambdas
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import custom_resources as resources
from deploy.aws.parameters import Parameters

PORT = 8787
DATABASE = "tallymark"
DATABASE_PORT = 5432
HEARTBEAT = "/tmp/tallymark-worker"
MIGRATION = Path(__file__).with_name("migration.py")

DRAIN_SECONDS = 10
"""The load balancer stops sending to a task at about the time at which it is told to stop."""
STOP_SECONDS = 60
"""From SIGTERM to SIGKILL: more than api and worker take."""

PRIVATE = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the tasks stand on."""

    vpc: Any
    cluster: Any
    database: Any
    bucket: Any
    environment: Mapping[str, str]
    secrets: Mapping[str, Any]
    image: Any


def describe(stack: cdk.Stack, parameters: Parameters) -> None:
    """Put everything into the stack."""
    ground = lay_ground(stack, parameters)
    migrated = add_migration(stack, ground, parameters)
    balancer, targets, api = add_api(stack, ground, parameters)
    worker = add_worker(stack, ground, parameters)
    for service in (api, worker):
        # The service alone: what it needs besides is not told of by the migration, nor waits for it.
        service.node.default_child.node.add_dependency(migrated)
    add_alarms(
        stack,
        parameters,
        database=ground.database,
        balancer=balancer,
        targets=targets,
        services=(api, worker),
    )
    cdk.CfnOutput(stack, "LoadBalancerName", value=balancer.load_balancer_dns_name)
    cdk.CfnOutput(stack, "ClusterName", value=ground.cluster.cluster_name)
    cdk.CfnOutput(stack, "WorkerServiceName", value=worker.service_name)
    cdk.CfnOutput(stack, "BucketName", value=ground.bucket.bucket_name)
    cdk.CfnOutput(stack, "DatabaseAddress", value=ground.database.db_instance_endpoint_address)


def lay_ground(stack: cdk.Stack, parameters: Parameters) -> Ground:
    """Network, database and bucket, and what the tasks are told of them."""
    vpc = ec2.Vpc(
        stack,
        "Network",
        max_azs=parameters.zones,
        nat_gateways=parameters.nat_gateways,
        subnet_configuration=[
            ec2.SubnetConfiguration(
                name="Public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24, map_public_ip_on_launch=False
            ),
            ec2.SubnetConfiguration(
                name="Tasks", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=22
            ),
            ec2.SubnetConfiguration(
                name="Database", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
            ),
        ],
        # Documents don't go through the NAT gateway, which costs by the gigabyte.
        gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
    )
    database = add_database(stack, vpc, parameters)
    bucket = s3.Bucket(
        stack,
        "Documents",
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        versioned=True,
        lifecycle_rules=[
            s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
                noncurrent_version_expiration=cdk.Duration.days(90),
            )
        ],
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    key = secretsmanager.Secret(
        stack,
        "SecretKey",
        description="Signs Tallymark's links to files (TALLYMARK_SECRET_KEY)",
        generate_secret_string=secretsmanager.SecretStringGenerator(
            password_length=64, exclude_punctuation=True
        ),
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    address = f"{database.db_instance_endpoint_address}:{database.db_instance_endpoint_port}"
    return Ground(
        vpc=vpc,
        cluster=ecs.Cluster(stack, "Cluster", vpc=vpc, container_insights_v2=ecs.ContainerInsights.DISABLED),
        database=database,
        bucket=bucket,
        environment={
            # libpq takes the password from PGPASSWORD.
            "DATABASE_URL": f"postgresql://{DATABASE}@{address}/{DATABASE}?sslmode=require",
            "TALLYMARK_FILES_URL": f"s3://{bucket.bucket_name}",
            "TALLYMARK_S3_REGION": stack.region,
            "TALLYMARK_PUBLIC_URL": parameters.public_url,
            "TALLYMARK_DRAIN_SECONDS": str(DRAIN_SECONDS),
            "TALLYMARK_WORKER_HEARTBEAT": HEARTBEAT,
            **parameters.settings,
        },
        secrets={
            "PGPASSWORD": ecs.Secret.from_secrets_manager(database.secret, "password"),
            "TALLYMARK_SECRET_KEY": ecs.Secret.from_secrets_manager(key),
            **{
                name: ecs.Secret.from_secrets_manager(
                    secretsmanager.Secret.from_secret_complete_arn(stack, f"Given-{name}", arn)
                )
                for name, arn in parameters.secrets.items()
            },
        },
        image=image_of(stack, parameters.image),
    )


def add_database(stack: cdk.Stack, vpc: Any, parameters: Parameters) -> Any:
    """A PostgreSQL that nobody but the tasks reaches, and that outlives the stack."""
    engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_18_3)
    return rds.DatabaseInstance(
        stack,
        "Database",
        engine=engine,
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        port=DATABASE_PORT,
        instance_type=ec2.InstanceType(parameters.database_class),
        multi_az=parameters.database_multi_az,
        database_name=DATABASE,
        # RDS's first user owns the database and may make roles, and passes no row-level security by.
        credentials=rds.Credentials.from_generated_secret(DATABASE),
        parameter_group=rds.ParameterGroup(
            stack,
            "DatabaseParameters",
            engine=engine,
            description="Tallymark",
            parameters={"rds.force_ssl": "1", "log_min_duration_statement": "1000"},
        ),
        storage_type=rds.StorageType.GP3,
        allocated_storage=parameters.database_storage_gb,
        max_allocated_storage=parameters.database_storage_most_gb,
        storage_encrypted=True,
        backup_retention=cdk.Duration.days(parameters.backup_days),
        copy_tags_to_snapshot=True,
        delete_automated_backups=False,
        deletion_protection=True,
        removal_policy=cdk.RemovalPolicy.SNAPSHOT,
        auto_minor_version_upgrade=True,
        cloudwatch_logs_exports=["postgresql"],
        enable_performance_insights=True,
        publicly_accessible=False,
    )


def image_of(stack: cdk.Stack, name: str) -> Any:
    """An image of ECR, which tasks then may pull, or of a public registry."""
    own = re.fullmatch(
        r"(\d{12})\.dkr\.ecr\.([\w-]+)\.amazonaws\.com/([\w./-]+?)(?::([\w.-]+)|@(sha256:\w+))", name
    )
    if own is None:
        return ecs.ContainerImage.from_registry(name)
    account, region, repository, tag, digest = own.groups()
    kept = ecr.Repository.from_repository_attributes(
        stack,
        "Images",
        repository_arn=f"arn:{cdk.Aws.PARTITION}:ecr:{region}:{account}:repository/{repository}",
        repository_name=repository,
    )
    return ecs.ContainerImage.from_ecr_repository(kept, tag or digest)


def add_task(
    stack: cdk.Stack,
    name: str,
    ground: Ground,
    parameters: Parameters,
    *,
    command: Sequence[str],
    **options: Any,
) -> Any:
    """What runs a command of the image: it may reach the database and the documents, and nothing else of the account."""
    task = ecs.FargateTaskDefinition(
        stack,
        f"{name}Task",
        cpu=parameters.cpu,
        memory_limit_mib=parameters.memory,
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=getattr(ecs.CpuArchitecture, parameters.architecture),
            operating_system_family=ecs.OperatingSystemFamily.LINUX,
        ),
    )
    task.add_container(
        "tallymark",
        image=ground.image,
        command=list(command),
        environment=dict(ground.environment),
        secrets=dict(ground.secrets),
        stop_timeout=cdk.Duration.seconds(STOP_SECONDS),
        logging=ecs.LogDrivers.aws_logs(
            stream_prefix=name.lower(),
            log_group=logs.LogGroup(
                stack,
                f"{name}Log",
                retention=retention_of(parameters.log_days),
                removal_policy=cdk.RemovalPolicy.DESTROY,
            ),
        ),
        **options,
    )
    return task


def retention_of(days: int) -> Any:
    """The shortest that CloudWatch has, of these days at the least."""
    known = {
        1: "ONE_DAY",
        7: "ONE_WEEK",
        14: "TWO_WEEKS",
        30: "ONE_MONTH",
        90: "THREE_MONTHS",
        180: "SIX_MONTHS",
        365: "ONE_YEAR",
    }
    name = next((name for least, name in known.items() if days <= least), "TEN_YEARS")
    return getattr(logs.RetentionDays, name)


def allow_documents(ground: Ground, task: Any) -> None:
    """Read, write and delete objects of the bucket, and list them."""
    task.task_role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            resources=[ground.bucket.arn_for_objects("*")],
        )
    )
    task.task_role.add_to_principal_policy(
        iam.PolicyStatement(actions=["s3:ListBucket"], resources=[ground.bucket.bucket_arn])
    )


def add_migration(stack: cdk.Stack, ground: Ground, parameters: Parameters) -> Any:
    """The task that brings the database to the release's schema, run to its end before a service is touched."""
    task = add_task(stack, "Migrate", ground, parameters, command=["migrate", "--wait", "120"])
    group = ec2.SecurityGroup(stack, "MigrateGroup", vpc=ground.vpc, description="Tallymark: the migration")
    (guard,) = ground.database.connections.security_groups
    reaches = ec2.CfnSecurityGroupIngress(
        stack,
        "MigrateReachesDatabase",
        group_id=guard.security_group_id,
        source_security_group_id=group.security_group_id,
        ip_protocol="tcp",
        from_port=DATABASE_PORT,
        to_port=DATABASE_PORT,
        description="the migration",
    )

    def function(name: str, handler: str) -> Any:
        return lambdas.Function(
            stack,
            name,
            runtime=lambdas.Runtime.PYTHON_3_13,
            code=lambdas.Code.from_inline(MIGRATION.read_text()),
            handler=f"index.{handler}",
            timeout=cdk.Duration.minutes(1),
            log_group=logs.LogGroup(
                stack,
                f"{name}Log",
                retention=logs.RetentionDays.ONE_MONTH,
                removal_policy=cdk.RemovalPolicy.DESTROY,
            ),
        )

    start, watch = function("MigrationStart", "on_event"), function("MigrationWatch", "is_complete")
    start.add_to_role_policy(
        iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[stack.stack_id])
    )
    of_cluster = {"ArnEquals": {"ecs:cluster": ground.cluster.cluster_arn}}
    start.add_to_role_policy(
        iam.PolicyStatement(
            actions=["ecs:RunTask"], resources=[task.task_definition_arn], conditions=of_cluster
        )
    )
    start.add_to_role_policy(
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[task.task_role.role_arn, task.obtain_execution_role().role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        )
    )
    tasks = stack.format_arn(service="ecs", resource="task", resource_name=f"{ground.cluster.cluster_name}/*")
    watch.add_to_role_policy(
        iam.PolicyStatement(actions=["ecs:DescribeTasks"], resources=[tasks], conditions=of_cluster)
    )
    provider = resources.Provider(
        stack,
        "MigrationProvider",
        on_event_handler=start,
        is_complete_handler=watch,
        query_interval=cdk.Duration.seconds(10),
        total_timeout=cdk.Duration.hours(1),
    )
    migration = cdk.CustomResource(
        stack,
        "Migration",
        service_token=provider.service_token,
        resource_type="Custom::TallymarkMigration",
        properties={
            "Cluster": ground.cluster.cluster_name,
            # Another release is another task definition, and so another run.
            "TaskDefinition": task.task_definition_arn,
            "Subnets": ground.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS).subnet_ids,
            "SecurityGroup": group.security_group_id,
        },
    )
    # The database and the way to it, the way out and the rights are there before the task is.
    migration.node.add_dependency(
        ground.database.node.default_child,
        reaches,
        *(subnet.internet_connectivity_established for subnet in ground.vpc.private_subnets),
        start,
        watch,
        task,
    )
    return migration


def add_service(stack: cdk.Stack, name: str, ground: Ground, task: Any, *, tasks: int, **options: Any) -> Any:
    """Tasks of which new ones are well before old ones are told to stop."""
    service = ecs.FargateService(
        stack,
        name,
        cluster=ground.cluster,
        task_definition=task,
        desired_count=tasks,
        vpc_subnets=PRIVATE,
        assign_public_ip=False,
        min_healthy_percent=100,
        max_healthy_percent=200,
        circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
        propagate_tags=ecs.PropagatedTagSource.SERVICE,
        **options,
    )
    ground.database.connections.allow_default_port_from(service, f"the {name.lower()}")
    return service


def add_api(stack: cdk.Stack, ground: Ground, parameters: Parameters) -> tuple[Any, Any, Any]:
    """The API and the web app, by TLS."""
    task = add_task(
        stack,
        "Api",
        ground,
        parameters,
        command=["api"],
        port_mappings=[ecs.PortMapping(container_port=PORT)],
    )
    allow_documents(ground, task)
    service = add_service(
        stack,
        "Api",
        ground,
        task,
        tasks=parameters.api_tasks,
        health_check_grace_period=cdk.Duration.seconds(60),
    )
    scaling = service.auto_scale_task_count(
        min_capacity=parameters.api_tasks, max_capacity=parameters.api_tasks_most
    )
    scaling.scale_on_cpu_utilization("Cpu", target_utilization_percent=65)
    balancer = elb.ApplicationLoadBalancer(
        stack,
        "LoadBalancer",
        vpc=ground.vpc,
        internet_facing=True,
        deletion_protection=True,
        drop_invalid_header_fields=True,
        idle_timeout=cdk.Duration.seconds(60),
    )
    balancer.add_redirect(source_port=80, target_port=443)
    listener = balancer.add_listener(
        "Tls",
        port=443,
        protocol=elb.ApplicationProtocol.HTTPS,
        certificates=[acm.Certificate.from_certificate_arn(stack, "Certificate", parameters.certificate_arn)],
        ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
    )
    targets = listener.add_targets(
        "Api",
        port=PORT,
        protocol=elb.ApplicationProtocol.HTTP,
        targets=[service],
        deregistration_delay=cdk.Duration.seconds(30),
        # Not /health: were the database away, every task would be replaced, which brings no database back.
        health_check=elb.HealthCheck(
            path="/ready",
            healthy_http_codes="200",
            interval=cdk.Duration.seconds(10),
            timeout=cdk.Duration.seconds(5),
            healthy_threshold_count=2,
            unhealthy_threshold_count=3,
        ),
    )
    return balancer, targets, service


def add_worker(stack: cdk.Stack, ground: Ground, parameters: Parameters) -> Any:
    """Jobs and the scheduler; people run commands in it (ECS Exec)."""
    task = add_task(
        stack,
        "Worker",
        ground,
        parameters,
        command=["worker"],
        health_check=ecs.HealthCheck(
            command=["CMD", "tallymark", "health", "--worker"],
            interval=cdk.Duration.seconds(30),
            timeout=cdk.Duration.seconds(15),
            start_period=cdk.Duration.seconds(120),
            retries=3,
        ),
    )
    allow_documents(ground, task)
    return add_service(
        stack, "Worker", ground, task, tasks=parameters.worker_tasks, enable_execute_command=True
    )


def add_alarms(
    stack: cdk.Stack,
    parameters: Parameters,
    *,
    database: Any,
    balancer: Any,
    targets: Any,
    services: tuple[Any, Any],
) -> None:
    """What somebody should be woken for, by e-mail or whatever subscribes to the topic."""
    topic = sns.Topic(stack, "Alarms", display_name="Tallymark", enforce_ssl=True)
    if parameters.alarm_email:
        topic.add_subscription(subscriptions.EmailSubscription(parameters.alarm_email))
    minute, five = cdk.Duration.minutes(1), cdk.Duration.minutes(5)
    api, worker = services
    above = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
    below = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
    quiet, gone = cloudwatch.TreatMissingData.NOT_BREACHING, cloudwatch.TreatMissingData.BREACHING
    metrics = targets.metrics
    responses = elb.HttpCodeTarget.TARGET_5XX_COUNT
    refused = elb.HttpCodeElb.ELB_5XX_COUNT
    for name, metric, threshold, times, comparison, missing, text in (
        ("ApiErrors", metrics.http_code_target(responses, period=five), 10, 1, above, quiet, "The API answers 5xx"),
        ("NobodyAnswers", balancer.metrics.http_code_elb(refused, period=five), 10, 1, above, quiet, "The load balancer answers 5xx: no task does"),
        ("ApiSlow", metrics.target_response_time(period=five, statistic="p99"), 2, 3, above, quiet, "One request of a hundred takes over two seconds"),
        ("ApiUnwell", metrics.unhealthy_host_count(period=minute, statistic="max"), 0, 5, above, quiet, "An api task is not well for five minutes"),
        ("ApiBusy", api.metric_cpu_utilization(period=five), 85, 3, above, gone, "The api's processors are busy, or no task runs"),
        ("WorkerGone", worker.metric_cpu_utilization(period=minute, statistic="n"), 1, 5, below, gone, "No worker runs: nothing is billed"),
        ("WorkerBusy", worker.metric_cpu_utilization(period=five), 90, 6, above, quiet, "The workers' processors are busy for half an hour"),
        ("DatabaseBusy", database.metric_cpu_utilization(period=five), 80, 3, above, gone, "The database's processors are busy, or it is away"),
        ("DatabaseFull", database.metric_free_storage_space(period=five, statistic="min"), 5 * 1024**3, 1, below, gone, "The database has less than 5 GiB left"),
        ("DatabaseMemory", database.metric_freeable_memory(period=five, statistic="min"), 256 * 1024**2, 3, below, quiet, "The database has less than 256 MiB of memory left"),
        ("DatabaseConnections", database.metric_database_connections(period=five, statistic="max"), 300, 3, above, quiet, "The database has over 300 connections"),
    ):  # fmt: skip
        alarm = cloudwatch.Alarm(
            stack,
            f"Alarm{name}",
            metric=metric,
            threshold=threshold,
            evaluation_periods=times,
            comparison_operator=comparison,
            treat_missing_data=missing,
            alarm_description=f"{text}. docs/runbooks has what to do.",
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))
