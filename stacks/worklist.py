"""New objects of certain keys go in, batches for a function come out; what fails too often is set aside."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.settings import Settings, Worker


class Worklist(Construct):
    """EventBridge rule, queue and dead-letter queue; ``keys`` may hold `*`, which stands for anything."""

    def __init__(
        self, scope: Construct, id: str, *, bucket: s3.IBucket, keys: str, worker: Worker, settings: Settings
    ) -> None:
        super().__init__(scope, id)
        self._worker = worker
        # The dead-letter queue must name the queue and the queue the dead-letter queue. A name that is known beforehand
        # breaks the circle; part of the stack's own id keeps it from clashing with a queue deleted a minute ago.
        stack = cdk.Stack.of(self)
        unique = cdk.Fn.select(2, cdk.Fn.split("/", stack.stack_id))
        name = f"{stack.stack_name}-{id}-{unique}"
        source = sqs.Queue.from_queue_arn(self, "Source", stack.format_arn(service="sqs", resource=name))
        self.set_aside = sqs.Queue(
            self,
            "SetAside",
            retention_period=cdk.Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            redrive_allow_policy=sqs.RedriveAllowPolicy(
                redrive_permission=sqs.RedrivePermission.BY_QUEUE, source_queues=[source]
            ),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=name,
            visibility_timeout=cdk.Duration.seconds(worker.visibility_s),
            retention_period=cdk.Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.set_aside, max_receive_count=settings.attempts),
        )
        events.Rule(
            self,
            "Created",
            description=f"New objects {keys}",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": {"name": [bucket.bucket_name]}, "object": {"key": [{"wildcard": keys}]}},
            ),
            targets=[targets.SqsQueue(self.queue, dead_letter_queue=self.set_aside)],
        )
        cdk.CfnOutput(stack, f"{id}Queue", value=self.queue.queue_url)
        cdk.CfnOutput(stack, f"{id}SetAside", value=self.set_aside.queue_arn)

    def feed(self, function: lambda_.Function) -> None:
        """Hand what comes to a function, in batches of which parts may fail."""
        # what Lambda's poller needs (AWSLambdaSQSQueueExecutionRole); grant_consume_messages gives more
        verbs = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        iam.Grant.add_to_principal(
            grantee=function, actions=[f"sqs:{verb}" for verb in verbs], resource_arns=[self.queue.queue_arn]
        )
        function.add_event_source_mapping(
            self.node.id,
            event_source_arn=self.queue.queue_arn,
            batch_size=self._worker.batch,
            max_batching_window=cdk.Duration.seconds(self._worker.window_s),
            max_concurrency=self._worker.concurrency,
            report_batch_item_failures=True,
        )
