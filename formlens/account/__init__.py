"""What speaks to AWS from a laptop. Imported only when one of its commands is called; boto3 is known here alone."""
