"""DynamoDB and S3: one module per table or bucket, the only code that knows attribute names."""
