"""One person's timeline with the names of what facts point to. A read model of the whole product; writes nothing."""
