"""The metrics of AWS that alarms may watch, as AWS documents them: dimensions, statistics and the page."""

from __future__ import annotations

from dataclasses import dataclass

_LAMBDA = "docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"
_GATEWAY = "docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"
_SQS = "docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html"
_DYNAMODB = "docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html"
_CLOUDFRONT = "docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html"
_EDGE = "no page seen; in use in dashboards of others, with these dimensions"


@dataclass(frozen=True)
class Documented:
    """A metric: its dimensions, the statistics that make sense, and the page that says so."""

    dimensions: frozenset[str]
    statistics: frozenset[str]
    page: str


def _all(namespace: str, dimensions: str, statistics: str, page: str, names: str) -> dict[tuple[str, str], Documented]:
    known = Documented(frozenset(dimensions.split()), frozenset(statistics.split()), page)
    return {(namespace, name): known for name in names.split()}


DOCUMENTED = {
    # AWS: "View these metrics with the Sum statistic."
    **_all(
        "AWS/Lambda",
        "FunctionName",
        "Sum",
        _LAMBDA,
        "Invocations Errors Throttles RecursiveInvocationsDropped UrlRequestCount Url4xxCount Url5xxCount",
    ),
    **_all("AWS/Lambda", "FunctionName", "Average Maximum p99", _LAMBDA, "Duration"),
    **_all("AWS/ApiGateway", "ApiName", "Average Maximum p99", _GATEWAY, "Latency"),
    **_all("AWS/SQS", "QueueName", "Maximum", _SQS, "ApproximateNumberOfMessagesVisible ApproximateAgeOfOldestMessage"),
    **_all("AWS/DynamoDB", "TableName", "Sum", _DYNAMODB, "ReadThrottleEvents WriteThrottleEvents"),
    **_all("AWS/CloudFront", "DistributionId Region", "Average", _CLOUDFRONT, "5xxErrorRate"),
    **_all("AWS/CloudFront", "DistributionId Region", "Sum", _CLOUDFRONT, "Requests"),
    **_all(
        "AWS/CloudFront",
        "DistributionId Region",
        "Sum",
        _EDGE,
        "LambdaExecutionError LambdaValidationError LambdaLimitExceededErrors",
    ),
}
"""By namespace and name."""
