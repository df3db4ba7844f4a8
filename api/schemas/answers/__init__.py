"""What is answered, for the OpenAPI document: routes write their answers themselves, as bytes."""
