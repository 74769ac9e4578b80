"""What the fork server imports once, so that its children start at once."""

import tests.integration.publication.publish_once  # noqa: F401
