"""A resource goes in, what it costs a month while nobody uses it comes out. Use (requests, scans, jobs) is not here.

List prices of us-east-1 in USD as known in November 2026, from the pages of aws.amazon.com that stand beside them. No
price is fetched: where a table does not know an instance type, the answer says so instead of guessing.
"""

from dataclasses import dataclass
from typing import Any

from changes.values import at, listed, text_of

AS_OF = "us-east-1, November 2026"
HOURS = 730
"""Of a month, as AWS reckons."""

NOTEBOOK = {  # aws.amazon.com/sagemaker/ai/pricing, an hour; training and processing cost the same
    "ml.t3.medium": 0.05,
    "ml.t3.large": 0.10,
    "ml.t3.xlarge": 0.20,
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
    "ml.g4dn.xlarge": 0.7364,
    "ml.g5.xlarge": 1.408,
    "ml.g5.2xlarge": 1.515,
    "ml.g6.xlarge": 1.1267,
}
NOTEBOOK_GB = 0.14  # a month
_MONTHLY = {  # each of them, whatever happens
    "AWS::CloudWatch::Alarm": (0.10, "alarm; the first 10 of an account are free"),  # cloudwatch/pricing
    "AWS::CloudWatch::CompositeAlarm": (0.50, "composite alarm"),
    "AWS::CloudWatch::Dashboard": (3.00, "dashboard; the first 3 of an account are free"),
    "AWS::KMS::Key": (1.00, "key"),  # kms/pricing
    "AWS::SecretsManager::Secret": (0.40, "secret"),  # secrets-manager/pricing
    "AWS::EC2::NatGateway": (0.045 * HOURS, "NAT gateway"),  # vpc/pricing
    "AWS::EC2::EIP": (0.005 * HOURS, "public address"),
    "AWS::EC2::TransitGatewayAttachment": (0.05 * HOURS, "attachment"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (0.0225 * HOURS, "load balancer"),  # elasticloadbalancing/pricing
    "AWS::Route53::HostedZone": (0.50, "zone"),  # route53/pricing
    "AWS::WAFv2::WebACL": (5.00, "web ACL"),  # waf/pricing
    "AWS::EKS::Cluster": (0.10 * HOURS, "cluster"),  # eks/pricing
}
_BY_THE_HOUR = {
    "AWS::EC2::Instance": "InstanceType",
    "AWS::RDS::DBInstance": "DBInstanceClass",
    "AWS::ElastiCache::CacheCluster": "CacheNodeType",
    "AWS::OpenSearchService::Domain": "ClusterConfig.InstanceType",
    "AWS::SageMaker::EndpointConfig": "ProductionVariants.0.InstanceType",
    "AWS::SageMaker::Endpoint": "EndpointConfigName",
    "AWS::Redshift::Cluster": "NodeType",
    "AWS::ECS::Service": "LaunchType",
    "AWS::EC2::VPNConnection": "Type",
    "AWS::Kinesis::Stream": "ShardCount",
    "AWS::SageMaker::App": "AppType",
    "AWS::SageMaker::Cluster": "ClusterName",
    "AWS::RDS::DBCluster": "Engine",
    "AWS::DocDB::DBInstance": "DBInstanceClass",
    "AWS::Neptune::DBInstance": "DBInstanceClass",
    "AWS::MSK::Cluster": "BrokerNodeGroupInfo.InstanceType",
    "AWS::OpenSearchServerless::Collection": "Type",
    "AWS::FSx::FileSystem": "FileSystemType",
    "AWS::Transfer::Server": "Domain",
    "AWS::AmazonMQ::Broker": "HostInstanceType",
    "AWS::Timestream::InfluxDBInstance": "DbInstanceType",
}


@dataclass(frozen=True)
class Cost:
    """What a resource costs at rest."""

    usd: float | None
    """A month; None where it costs by the hour and no price is known."""
    why: str


def cost_of(resource: dict[str, Any]) -> Cost | None:
    """What it costs a month at rest; None for what costs nothing, or by use alone."""
    kind, properties = resource["Type"], resource.get("Properties") or {}
    if kind in _MONTHLY:
        usd, why = _MONTHLY[kind]
        return Cost(usd, why)
    if kind == "AWS::EC2::VPCEndpoint" and properties.get("VpcEndpointType") in ("Interface", "GatewayLoadBalancer"):
        zones = max(1, len(listed(properties.get("SubnetIds"))))
        return Cost(0.01 * HOURS * zones, f"interface endpoint in {zones} zone{'s' if zones > 1 else ''}")
    if kind == "AWS::SageMaker::NotebookInstance":
        type_, gb = text_of(properties.get("InstanceType")), _number(properties.get("VolumeSizeInGB", 5))
        if type_ not in NOTEBOOK:
            return Cost(None, f"{type_}: no price in the table, by the hour while it runs")
        hour = NOTEBOOK[type_]
        return Cost(hour * HOURS + gb * NOTEBOOK_GB, f"{type_} at {hour:g} an hour if it never stops, {gb:g} GB")
    if kind == "AWS::EC2::Volume":
        return Cost(0.08 * _number(properties.get("Size", 1)), f"{properties.get('Size')} GB")
    if at(properties, "ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions") is not None:
        return Cost(None, "provisioned concurrency, by the hour")
    if at(properties, "ProvisionedThroughput.ReadCapacityUnits") is not None:
        read, write = (
            _number(at(properties, f"ProvisionedThroughput.{one}CapacityUnits")) for one in ("Read", "Write")
        )
        return Cost((0.00013 * read + 0.00065 * write) * HOURS, f"{read:g} read and {write:g} write units")
    if kind in _BY_THE_HOUR:
        return Cost(None, f"{text_of(at(properties, _BY_THE_HOUR[kind]))}: no price in the table, by the hour")
    return None


def _number(value: Any) -> float:
    return float(value) if str(value).isdecimal() else 0.0
