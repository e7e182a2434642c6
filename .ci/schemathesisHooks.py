"""Loaded by schemathesis (schemathesis.toml)."""

import schemathesis

# The bytes of a resumable upload.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
