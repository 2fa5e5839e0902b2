"""The stores: the only code that knows DynamoDB's tables, their attributes, S3's bucket and SQS."""
