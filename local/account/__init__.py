"""A real account, seen with the deployer's credentials: what a deployment lacks, and what an earlier one has left.

`preflight` only reads. `restore` takes up tables, bucket, user pool and queue that a deleted stack has left behind.
"""

from collections.abc import Callable
from typing import Any

type Clients = Callable[[str], Any]
"""A boto3 client by its service's name."""

KEPT_TYPES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::Cognito::UserPool": "UserPoolId",
    "AWS::SQS::Queue": "QueueUrl",
}
"""Types of what outlives a stack, and by which property each is imported again."""
