"""What the other stacks do goes in; alarms with somebody to tell, a dashboard and a budget come out."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.reading import ReadingStack
from stacks.settings import Settings

AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


class WatchStack(cdk.Stack):
    """Tells one topic when something needs a person: work set aside, late or failing, pages failing, cells in doubt."""

    def __init__(self, scope: Construct, id: str, *, reading: ReadingStack, settings: Settings, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        self._settings = settings
        self.topic = sns.Topic(self, "Alarms", enforce_ssl=True)
        # a topic with a policy of its own has lost the one that lets CloudWatch publish
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisStage",
                actions=["sns:Publish"],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        if settings.mail:
            self.topic.add_subscription(subscriptions.EmailSubscription(settings.mail))
            self._budget(settings.mail, settings.budget_usd)
        rows: list[list[cloudwatch.IWidget]] = [self._of_pages()]
        for worklist in (reading.folders, reading.scans, reading.results):
            name = worklist.node.id
            left = worklist.set_aside.metric_approximate_number_of_messages_visible(
                period=cdk.Duration.minutes(1), statistic="Maximum"
            )
            age = worklist.queue.metric_approximate_age_of_oldest_message(
                period=cdk.Duration.minutes(5), statistic="Maximum"
            )
            waiting = worklist.queue.metric_approximate_number_of_messages_visible(period=cdk.Duration.minutes(5))
            self._alarm(f"{name}Left", left, 1, f"{name} failed {settings.attempts} times; docs/aws.md has the redrive")
            self._alarm(f"{name}Late", age, 60 * settings.late_minutes, f"{name} wait longer than they should", times=3)
            rows.append([_graph(f"{name}: waiting, set aside", waiting, left), _graph(f"{name}: oldest, seconds", age)])
        for function in reading.functions:
            name = function.node.id
            wrong = function.metric_errors(period=cdk.Duration.minutes(5), statistic="Sum")
            # one that fails comes again by itself; one that goes on failing needs a person
            self._alarm(f"{name}Errors", wrong, 1, f"The {name.lower()} function goes on failing; see its log", times=3)
            rows.append([_graph(f"{name}: errors", wrong), _graph(f"{name}: milliseconds", function.metric_duration())])
        cloudwatch.Dashboard(self, "Overview", dashboard_name=f"FormLens-{settings.stage}", widgets=rows)
        cdk.CfnOutput(self, "AlarmTopic", value=self.topic.topic_arn)

    def _of_pages(self) -> list[cloudwatch.IWidget]:
        settings, day = self._settings, cdk.Duration.days(1)
        failed, doubtful = self._own("PagesFailedShare", day), self._own("CellsFlaggedShare", day)
        self._alarm(
            "PagesFailing", failed, settings.failed_percent, "Of the pages of a day too many failed; see failed/"
        )
        # a day alone may be one bad pile; three in a row are a new edition of a form, or a scanner that needs cleaning
        self._alarm("CellsInDoubt", doubtful, settings.flagged_percent, "More cells than usual are in doubt", times=3)
        hour = cdk.Duration.hours(1)
        counts = [self._own(name, hour, "Sum") for name in ("PagesRead", "PagesFailed", "Duplicates")]
        return [
            _graph("Pages an hour", *counts),
            _graph("Of a scan: % pages failed, % cells in doubt", failed, doubtful),
        ]

    def _own(self, name: str, period: cdk.Duration, statistic: str = "Average") -> cloudwatch.Metric:
        """A metric that the read function writes."""
        return cloudwatch.Metric(
            namespace=f"FormLens/{self._settings.stage}",
            metric_name=name,
            dimensions_map={"service": "read"},
            period=period,
            statistic=statistic,
        )

    def _alarm(
        self, id: str, metric: cloudwatch.IMetric, threshold: float, description: str, *, times: int = 1
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            id,
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            evaluation_periods=times,
            comparison_operator=AT_LEAST,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        alarm.add_ok_action(actions.SnsAction(self.topic))

    def _budget(self, mail: str, usd: int) -> None:
        """The whole account's bill of a month: that of one stage AWS tells only by tags that were activated by hand."""
        to = [budgets.CfnBudget.SubscriberProperty(address=mail, subscription_type="EMAIL")]
        kinds: Mapping[str, int] = {"ACTUAL": 80, "FORECASTED": 100}
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=usd, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind, comparison_operator="GREATER_THAN", threshold=percent
                    ),
                    subscribers=to,
                )
                for kind, percent in kinds.items()
            ],
        )


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=12)
