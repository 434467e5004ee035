"""Delta Lake on S3: staging, publishing, reading, removing."""
